import type { Catalog, Name, Selectable } from '../model.ts';
import { isSelectable, sameName } from './facts.ts';
import type { Happening } from './replacements.ts';

/** What people append to the name of a generation that is not the live one. */
const asideWords = 'old|new|next|prev|previous|tmp|temp|bak|backup|shadow|staging|swap|build|rebuild';
const aside = new RegExp(`^(?:(?<stem>.+)_(?:${asideWords})|(?:${asideWords})_(?<rest>.+))$`, 'i');
const version = /^(?<stem>.+?)_?v?\d+$/i;

/** The live name that a name like `daily_sales_next` or `tmp_daily_sales` is derived from, if it is. */
export function liveName({ schema, name }: Name): Name | undefined {
  const { stem, rest } = aside.exec(name)?.groups ?? {};
  const live = stem ?? rest;
  return live === undefined ? undefined : { schema, name: live };
}

/** A name without the words and numbers that tell generations apart: `daily_sales` for `daily_sales_v2` and `daily_sales_new`. */
export function stemOf(name: Name): string {
  const live = liveName(name)?.name ?? name.name;
  return version.exec(live)?.groups?.['stem'] ?? live;
}

/** Whether a relation is a generation in waiting or put aside: its name says so, and the live name belongs to another one. */
export function isAside(relation: Selectable, catalog: Catalog): boolean {
  const live = liveName(relation.name);
  const found = live && catalog.find(live);
  return found?.is === 'present' && isSelectable(found.object) && found.object.id !== relation.id;
}

/** Another generation that stands beside a name: derived from it, and not the relation itself. */
export function generationBeside(name: Name, except: Selectable, catalog: Catalog): Selectable | undefined {
  for (const word of asideWords.split('|'))
    for (const other of [`${name.name}_${word}`, `${word}_${name.name}`]) {
      const found = catalog.find({ schema: name.schema, name: other });
      if (found.is !== 'present' || !isSelectable(found.object) || found.object.id === except.id) continue;
      if (!sameName(found.object.name, except.name)) return found.object;
    }
  return undefined;
}

/** Whether two things happen in one statement or one transaction. */
export function together(a: Happening, b: Happening): boolean {
  return a.step === b.step || (a.step.transaction !== undefined && a.step.transaction === b.step.transaction);
}
