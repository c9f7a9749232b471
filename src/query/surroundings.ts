import { majors } from '../builtins/builtins.ts';
import type { Catalog, CatalogObject, Found, Index, ObjectId, Relation, Routine, Table, Type, WrittenName } from '../model.ts';

/** What the analysis of a query may ask of a catalog. */
export interface Surroundings {
  /** The major of PostgreSQL whose built-in functions, operators and types the query sees. */
  readonly postgres: number;
  get(id: ObjectId): CatalogObject | undefined;
  indexesOf(relation: ObjectId): readonly Index[];
  /** Tables that inherit from this one, its partitions among them. */
  heirs(table: ObjectId): readonly Table[];
  findRoutines(name: WrittenName): readonly Routine[];
  findType(name: WrittenName): Found<Type>;
  /** A relation by the name that the body of a routine gives it. */
  findRelation(name: WrittenName): Found<Relation>;
  /** Whether the history makes an extension: it brings functions and types that mvlint does not know. */
  hasExtension(): boolean;
}

/** A catalog's own answers. */
export function surroundingsIn(catalog: Catalog): Surroundings {
  return {
    postgres: catalog.postgres ?? majors.at(-1)!,
    get: id => catalog.get(id),
    indexesOf: relation => catalog.indexesOf(relation),
    heirs: table => catalog.dependants(table).map(link => catalog.get(link.dependent))
      .filter((object): object is Table => object?.kind === 'table' && object.inherits.includes(table)),
    findRoutines: name => catalog.findRoutines(name),
    findType: name => catalog.findType(name),
    findRelation: name => catalog.find(name),
    hasExtension() {
      for (const object of catalog.objects()) if (object.kind === 'extension') return true;
      return false;
    },
  };
}

/** A question that an analysis asked, and the objects that answered it. */
export interface Asked {
  readonly of: (around: Surroundings) => readonly unknown[];
  readonly answer: readonly unknown[];
}

/** Whether every question has the same answer here: then what was concluded from the answers holds here too. */
export function sameAnswers(asked: readonly Asked[], around: Surroundings): boolean {
  return asked.every(({ of, answer }) => {
    const now = of(around);
    return now.length === answer.length && now.every((item, at) => item === answer[at]);
  });
}

/** What a question is about: an object, or a name. */
type Subject = ObjectId | string;
const subject = ({ schema, name }: WrittenName): string => (schema === undefined ? name : `${schema}\0${name}`);

/** Surroundings that note what is asked of them. Most statements of a history change no answer, so an analysis outlives its catalog. */
export class Witness implements Surroundings {
  private readonly around: Surroundings;
  /** By the kind of the question, then by what it is about. */
  private readonly asked = { get: new Map<Subject, Asked>(), indexes: new Map<Subject, Asked>(), heirs: new Map<Subject, Asked>(),
    routines: new Map<Subject, Asked>(), type: new Map<Subject, Asked>(), relation: new Map<Subject, Asked>(), extensions: new Map<Subject, Asked>() };
  readonly postgres: number;

  constructor(around: Surroundings) {
    this.around = around;
    this.postgres = around.postgres;
  }

  /** Everything that was asked so far. It keeps no catalog alive. */
  questions(): readonly Asked[] {
    return Object.values(this.asked).flatMap(about => [...about.values()]);
  }

  private ask<T>(kind: keyof Witness['asked'], about: Subject, of: (around: Surroundings) => readonly T[]): readonly T[] {
    const known = this.asked[kind].get(about);
    if (known !== undefined) return known.answer as readonly T[];
    const answer = of(this.around);
    this.asked[kind].set(about, { of, answer });
    return answer;
  }

  get(id: ObjectId): CatalogObject | undefined {
    return this.ask('get', id, around => [around.get(id)])[0];
  }

  indexesOf(relation: ObjectId): readonly Index[] {
    return this.ask('indexes', relation, around => around.indexesOf(relation));
  }

  heirs(table: ObjectId): readonly Table[] {
    return this.ask('heirs', table, around => around.heirs(table));
  }

  findRoutines(name: WrittenName): readonly Routine[] {
    return this.ask('routines', subject(name), around => around.findRoutines(name));
  }

  findType(name: WrittenName): Found<Type> {
    const [is, object] = this.ask<unknown>('type', subject(name), around => {
      const found = around.findType(name);
      return found.is === 'present' ? [found.is, found.object] : [found.is];
    });
    return is === 'present' ? { is, object: object as Type } : { is: is as 'absent' | 'unknown' };
  }

  findRelation(name: WrittenName): Found<Relation> {
    const [is, object] = this.ask<unknown>('relation', subject(name), around => {
      const found = around.findRelation(name);
      return found.is === 'present' ? [found.is, found.object] : [found.is];
    });
    return is === 'present' ? { is, object: object as Relation } : { is: is as 'absent' | 'unknown' };
  }

  hasExtension(): boolean {
    return this.ask('extensions', '', around => [around.hasExtension()])[0] === true;
  }
}
