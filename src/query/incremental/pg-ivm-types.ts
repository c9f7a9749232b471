import type { Obstacle } from '../../model.ts';
import type { Types } from '../sql-type.ts';
import { hasBtreeOrder } from './btree.ts';
import type { Target } from './inspected.ts';
import { obstacle } from './pg-ivm-obstacles.ts';

/** A column whose type has no default btree operator class. */
export function orderObstacle(target: Target, types: Types): Obstacle | undefined {
  const { type, name, span } = target;
  if (type === undefined || hasBtreeOrder(type, types)) return undefined;
  return obstacle('no-btree-order', `the column ${name} is of type ${type.printed}, whose values have no order`, span, {
    message: `data type ${type.printed} has no default operator class for access method "btree"`,
  });
}
