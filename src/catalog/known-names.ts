import type { Evidence, ObjectId } from '../model.ts';
import type { NameIds } from './name-ids.ts';
import { PersistentMap } from './persistent.ts';

/** What the history knows of a name. */
export interface Entry {
  /** The object that has it. */
  readonly id?: ObjectId;
  /** What took its last object away. */
  readonly gone?: Evidence;
  /** The history never showed what it took away: a branch that did not run left it there. */
  readonly unseen?: true;
  /** Code that mvlint does not follow touches it: nothing is known of it until it is made again. */
  readonly clouded?: true;
  /** Other names under which the object may stand: code that may not have run gave it another. */
  readonly also?: readonly number[];
  /** Other objects that may have the name: each way of a branch made one of its own. */
  readonly rivals?: readonly ObjectId[];
}

/** An entry with its names as text. */
export type WrittenEntry = Omit<Entry, 'also'> & { readonly also?: readonly string[] };

/** The ids of an entry that are objects': the one that has the name, then its rivals. */
const holdersIn = ({ id, rivals = [] }: Entry): readonly ObjectId[] => (id === undefined ? rivals : [id, ...rivals]);

/** Who has which name, which names are gone and which are in doubt. By the numbers of `NameIds`; persistent: a change gives another one. */
export class KnownNames {
  static readonly none = new KnownNames(PersistentMap.empty);
  private readonly entries: PersistentMap<Entry>;

  private constructor(entries: PersistentMap<Entry>) {
    this.entries = entries;
  }

  entry(at: number): Entry | undefined {
    return this.entries.get(at);
  }

  /** Who has the name, or may have it. */
  holders(at: number): readonly ObjectId[] {
    const entry = this.entries.get(at);
    return entry === undefined ? [] : holdersIn(entry);
  }

  /** The names of which more is known than who has them, in the order of their texts. */
  remarkable(ids: NameIds): readonly (readonly [string, WrittenEntry])[] {
    const found = this.entries.entries().filter(([, entry]) => entry.id === undefined || entry.gone !== undefined || entry.clouded === true);
    return found.map(([at, { also, ...rest }]): [string, WrittenEntry] =>
      [ids.textOf(at), also === undefined ? rest : { ...rest, also: also.map(other => ids.textOf(other)) }]).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  withWritten(ids: NameIds, text: string, { also, ...rest }: WrittenEntry): KnownNames {
    return this.with(ids.ofText(text), also === undefined ? rest : { ...rest, also: also.map(other => ids.ofText(other)) });
  }

  with(at: number, entry: Entry): KnownNames {
    return new KnownNames(this.entries.set(at, entry));
  }

  /** Without the one that had the name, or may have had it. */
  drop(at: number, owner: ObjectId): KnownNames {
    const entry = this.entries.get(at);
    if (entry === undefined) return this;
    const [next, ...rivals] = holdersIn(entry).filter(one => one !== owner);
    if (next === undefined) return entry.id === owner ? new KnownNames(this.entries.delete(at)) : this;
    if (entry.rivals === undefined) return this;
    const { rivals: _, ...rest } = entry;
    return this.with(at, { ...rest, id: next, ...(rivals.length > 0 ? { rivals } : {}) });
  }

  /** The name is absent until it is made again. */
  markGone(at: number, because: Evidence): KnownNames {
    return this.with(at, { ...this.entries.get(at), gone: because });
  }

  /** Nothing is known of the name. */
  cloud(at: number): KnownNames {
    return this.with(at, { ...this.entries.get(at), clouded: true });
  }

  /** The object may have the name, or that other one, and so may its rivals. */
  doubt(at: number, id: ObjectId, other: number | undefined, rivals: readonly ObjectId[]): KnownNames {
    const entry = this.entries.get(at);
    const also = other === undefined || other === at ? entry?.also : [...new Set([...entry?.also ?? [], other])];
    return this.with(at, { ...entry, id, clouded: true, ...(also === undefined ? {} : { also }), ...(rivals.length > 0 ? { rivals } : {}) });
  }

  /** What is in doubt under one name is so under another. */
  moveDoubt(at: number, to: number, id: ObjectId, rivals: readonly ObjectId[]): KnownNames {
    const also = this.entries.get(at)?.also ?? [];
    return this.drop(at, id).with(to, { id, clouded: true, ...(also.length > 0 ? { also } : {}), ...(rivals.length > 0 ? { rivals } : {}) });
  }

  /** What is true of names here and in the other, which both grew from one; a name that two objects have is in doubt. */
  join(other: KnownNames): KnownNames {
    let joined = this.entries;
    for (const at of joined.differences(other.entries)) {
      const [ours, theirs] = [joined.get(at), other.entries.get(at)];
      if (ours?.id === theirs?.id && ours?.clouded === theirs?.clouded && (ours?.gone === undefined) === (theirs?.gone === undefined)) continue;
      if (ours?.id === undefined && theirs?.id === undefined && ours?.clouded === undefined && theirs?.clouded === undefined) {
        // Nobody has the name on either side: what is gone on one side only was never there on the other, unless the history never showed it.
        const unseen = (ours?.gone === undefined ? theirs : ours)?.unseen === true && (ours?.gone === undefined) !== (theirs?.gone === undefined);
        joined = unseen ? joined.delete(at) : joined.set(at, { ...theirs, ...ours });
      } else joined = joined.set(at, { ...theirs, ...ours, clouded: true });
    }
    return new KnownNames(joined);
  }
}
