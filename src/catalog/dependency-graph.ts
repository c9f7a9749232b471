import type { Dependency, ObjectId } from '../model.ts';
import { both } from './blend.ts';
import { PersistentMap } from './persistent.ts';

/** A list with one more: `[...list, item]` leaves room for 17 more, and `concat` asks whether the item is a list. */
export const appended = <T>(list: readonly T[], item: T): readonly T[] => list.toSpliced(list.length, 0, item);

type Links = PersistentMap<readonly Dependency[]>;

const setOrDrop = (map: Links, id: ObjectId, links: readonly Dependency[]): Links => (links.length > 0 ? map.set(id, links) : map.delete(id));

/** What holds on to what (pg_depend), from either end. Persistent: a change gives another one. */
export class DependencyGraph {
  static readonly none = new DependencyGraph(PersistentMap.empty, PersistentMap.empty);
  /** By what is held. */
  private readonly dependantsOf: Links;
  /** By what holds on to it. */
  private readonly dependenciesOf: Links;

  private constructor(dependantsOf: Links, dependenciesOf: Links) {
    this.dependantsOf = dependantsOf;
    this.dependenciesOf = dependenciesOf;
  }

  /** What depends on an object. */
  dependants(id: ObjectId): readonly Dependency[] {
    return this.dependantsOf.get(id) ?? [];
  }

  /** What an object depends on. */
  dependencies(id: ObjectId): readonly Dependency[] {
    return this.dependenciesOf.get(id) ?? [];
  }

  all(): readonly Dependency[] {
    return this.dependenciesOf.values().flat();
  }

  with(link: Dependency): DependencyGraph {
    return new DependencyGraph(this.dependantsOf.set(link.on, appended(this.dependants(link.on), link)),
      this.dependenciesOf.set(link.dependent, appended(this.dependencies(link.dependent), link)));
  }

  /** Without what an object holds on to; with `column`, only what that column of it does. */
  release(dependent: ObjectId, column?: string): DependencyGraph {
    const links = this.dependencies(dependent);
    const stays = (link: Dependency): boolean => link.dependent !== dependent || (column !== undefined && link.by !== column);
    let { dependantsOf } = this;
    for (const on of new Set(links.filter(link => !stays(link)).map(link => link.on))) dependantsOf = setOrDrop(dependantsOf, on, this.dependants(on).filter(stays));
    return new DependencyGraph(dependantsOf, setOrDrop(this.dependenciesOf, dependent, links.filter(stays)));
  }

  /** Without an object that is gone. */
  without(id: ObjectId): DependencyGraph {
    const { dependantsOf, dependenciesOf } = this.release(id);
    return new DependencyGraph(dependantsOf.delete(id), dependenciesOf);
  }

  /** A column of `on` has another name: what uses it follows, and what the column itself holds on to. */
  renameColumn(on: ObjectId, from: string, to: string): DependencyGraph {
    const renamed = (link: Dependency): Dependency =>
      link.on === on && link.columns?.includes(from) ? { ...link, columns: link.columns.map(column => (column === from ? to : column)) } : link;
    const links = this.dependants(on);
    let dependantsOf = this.dependantsOf.set(on, links.map(renamed));
    let { dependenciesOf } = this;
    for (const { dependent } of links) dependenciesOf = dependenciesOf.set(dependent, (dependenciesOf.get(dependent) ?? []).map(renamed));
    const own = (link: Dependency): Dependency => (link.dependent === on && link.by === from ? { ...link, by: to } : link);
    const held = (dependenciesOf.get(on) ?? []).filter(link => link.by === from);
    if (held.length > 0) dependenciesOf = dependenciesOf.set(on, (dependenciesOf.get(on) ?? []).map(own));
    for (const link of held) dependantsOf = dependantsOf.set(link.on, (dependantsOf.get(link.on) ?? []).map(own));
    return new DependencyGraph(dependantsOf, dependenciesOf);
  }

  /** The links here and in the other, which both grew from one. */
  join(other: DependencyGraph): DependencyGraph {
    const joined = (ours: Links, theirs: Links): Links => {
      let all = ours;
      for (const id of ours.differences(theirs)) all = all.set(id, both(all.get(id), theirs.get(id)));
      return all;
    };
    return new DependencyGraph(joined(this.dependantsOf, other.dependantsOf), joined(this.dependenciesOf, other.dependenciesOf));
  }
}
