import type { CatalogObject, Name } from '../model.ts';
import { isRelation, type Namespace } from './names.ts';

/**
 * A small number for every name that was ever spoken of, the same in all versions of a catalog: they share one of these. A number once given
 * stays, so that what one version adds does not show in another.
 */
export class NameIds {
  private readonly ids = new Map<Namespace, Map<string, Map<string, number>>>();
  /** The texts of the numbers, as a snapshot has them. */
  private readonly texts: string[] = [];

  /** The number, if it was given. */
  known(namespace: Namespace, schema: string, name: string): number | undefined {
    return this.ids.get(namespace)?.get(schema)?.get(name);
  }

  of(namespace: Namespace, schema: string, name: string): number {
    let schemas = this.ids.get(namespace);
    if (schemas === undefined) this.ids.set(namespace, schemas = new Map());
    let names = schemas.get(schema);
    if (names === undefined) schemas.set(schema, names = new Map());
    let id = names.get(name);
    if (id === undefined) {
      names.set(name, id = this.texts.length);
      this.texts.push(`${namespace}\0${schema}\0${name}`);
    }
    return id;
  }

  /** The name of an object; triggers and policies (owned by a table) have none of their own, and routines share theirs. */
  ofObject(object: CatalogObject): number | undefined {
    if (isRelation(object)) return this.of('relation', object.name.schema, object.name.name);
    if (object.kind === 'type') return this.of('type', object.name.schema, object.name.name);
    if (object.kind === 'schema' || object.kind === 'role' || object.kind === 'extension') return this.of(object.kind, '', object.name);
    return undefined;
  }

  ofText(text: string): number {
    const [namespace, schema = '', name = ''] = text.split('\0');
    return this.of(namespace as Namespace, schema, name);
  }

  textOf(id: number): string {
    return this.texts[id] ?? '';
  }

  nameOf(id: number): Name {
    const [, schema = '', name = ''] = this.textOf(id).split('\0');
    return { schema, name };
  }
}
