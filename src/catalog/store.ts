import type {
  Catalog, CatalogObject, Dependency, Evidence, Found, Index, Known, Name, ObjectId, RefreshSite, Relation, Routine, Schema, SessionState, Table, Trigger, Type, WrittenName,
} from '../model.ts';
import { blend, blendSessions, both } from './blend.ts';
import { appended, DependencyGraph } from './dependency-graph.ts';
import { KnownNames, type Entry, type WrittenEntry } from './known-names.ts';
import { NameIds } from './name-ids.ts';
import { isHole, isRelation, isSystemSchema, sameName, type Namespace } from './names.ts';
import { PersistentMap } from './persistent.ts';
import { lookedIn } from './search-path.ts';

/** ALTER DEFAULT PRIVILEGES: what objects made later begin with. */
export interface DefaultPrivilege {
  /** The role whose new objects get it. */
  readonly role: Known<string>;
  readonly schema?: string;
  readonly objects: 'tables' | 'sequences' | 'functions' | 'types' | 'schemas';
  readonly grantee: string;
  readonly privileges: readonly string[];
}

/** A store as plain data; `names` are the ones of which more is known than who has them. */
export interface StoreParts {
  readonly world: Catalog['world'];
  readonly complete: boolean;
  readonly postgres?: number;
  readonly engineVersions?: NonNullable<Catalog['engineVersions']>;
  readonly session: SessionState;
  readonly sites: readonly RefreshSite[];
  readonly defaultPrivileges: readonly DefaultPrivilege[];
  readonly temporaryFor: readonly string[];
  readonly objects: readonly CatalogObject[];
  readonly dependencies: readonly Dependency[];
  readonly names: readonly (readonly [string, WrittenEntry])[];
  readonly doubtful: readonly ObjectId[];
  readonly nextId: number;
}

const freshSession: SessionState = { searchPath: ['$user', 'public'], role: { unknown: 'the role that runs the migrations' }, parameters: new Map() };

/** The tables that the foreign keys of a table point at, each once. */
function referencedIn(object: CatalogObject | undefined): readonly ObjectId[] {
  const ids: ObjectId[] = [];
  if (object?.kind === 'table')
    for (const { references } of object.constraints) if (references !== undefined && !ids.includes(references)) ids.push(references);
  return ids;
}

/**
 * The catalog under construction. Readers see it as `Catalog`. Its parts are persistent, so `fork` is cheap; whoever changes a store forks it first.
 */
export class Store implements Catalog {
  world: 'open' | 'closed' = 'closed';
  /** A snapshot's world stays closed: a name it does not hold is absent. */
  complete = false;
  postgres?: number;
  engineVersions?: NonNullable<Catalog['engineVersions']>;
  session: SessionState = freshSession;
  sites: readonly RefreshSite[] = [];
  comparisons: Catalog['comparisons'] = [];
  defaultPrivileges: readonly DefaultPrivilege[] = [];
  /** Who may make temporary tables in the database: PUBLIC may, until somebody revokes it. */
  temporaryFor: readonly string[] = ['public'];
  private nextId = 1;
  private byId: PersistentMap<CatalogObject> = PersistentMap.empty;
  private nameIds: NameIds;
  private names = KnownNames.none;
  private routines: PersistentMap<readonly ObjectId[]> = PersistentMap.empty;
  /** Whether the history ever made a temporary object: pg_temp comes first in every search path. */
  private temporary = false;
  /** Whether any table ever inherited from another: most histories have none, and then nobody's dependants are searched for some. */
  private inheritance = false;
  private links = DependencyGraph.none;
  private triggerIds: readonly ObjectId[] = [];
  /** Objects that a branch left in doubt. */
  private doubtful: PersistentMap<true> = PersistentMap.empty;
  /** Tables whose foreign keys point at a table. */
  private referencedBy: PersistentMap<readonly ObjectId[]> = PersistentMap.empty;

  constructor(nameIds = new NameIds()) {
    this.nameIds = nameIds;
  }

  /** All that it holds, as plain parts in a stable order: what a snapshot keeps. */
  parts(): StoreParts {
    return {
      world: this.world, complete: this.complete, session: this.session, sites: this.sites, defaultPrivileges: this.defaultPrivileges, temporaryFor: this.temporaryFor, nextId: this.nextId,
      ...(this.postgres === undefined ? {} : { postgres: this.postgres }), ...(this.engineVersions === undefined ? {} : { engineVersions: this.engineVersions }),
      objects: this.objects(),
      dependencies: this.links.all(),
      names: this.names.remarkable(this.nameIds), doubtful: this.doubtful.entries().map(([id]) => id),
    };
  }

  static from(parts: StoreParts): Store {
    const store = new Store();
    Object.assign(store, {
      world: parts.world, complete: parts.complete, session: parts.session, sites: parts.sites, defaultPrivileges: parts.defaultPrivileges, temporaryFor: parts.temporaryFor,
      ...(parts.postgres === undefined ? {} : { postgres: parts.postgres }), ...(parts.engineVersions === undefined ? {} : { engineVersions: parts.engineVersions }),
    });
    for (const object of parts.objects) store.put(object);
    for (const link of parts.dependencies) store.depend(link);
    for (const [name, entry] of parts.names) {
      store.names = store.names.withWritten(store.nameIds, name, entry);
      if (name.startsWith('relation\0pg_temp\0')) store.temporary = true;
    }
    for (const id of parts.doubtful) store.doubtful = store.doubtful.set(id, true);
    store.nextId = parts.nextId;
    return store;
  }

  /** An independent copy; costs a few words. */
  fork(): Store {
    const copy = new Store(this.nameIds);
    copy.become(this);
    return copy;
  }

  /** Takes over all that another store holds, but for ids that were given here since: they are not given again. */
  become(other: Store): void {
    this.world = other.world;
    this.complete = other.complete;
    if (other.postgres !== undefined) this.postgres = other.postgres;
    if (other.engineVersions !== undefined) this.engineVersions = other.engineVersions;
    this.session = other.session;
    this.sites = other.sites;
    this.comparisons = other.comparisons;
    this.defaultPrivileges = other.defaultPrivileges;
    this.temporaryFor = other.temporaryFor;
    this.nextId = Math.max(this.nextId, other.nextId);
    this.byId = other.byId;
    this.nameIds = other.nameIds;
    this.names = other.names;
    this.routines = other.routines;
    this.temporary = other.temporary;
    this.inheritance = other.inheritance;
    this.doubtful = other.doubtful;
    this.triggerIds = other.triggerIds;
    this.links = other.links;
    this.referencedBy = other.referencedBy;
  }

  // ── Reading ──

  get(id: ObjectId): CatalogObject | undefined {
    return this.byId.get(id);
  }

  isCertain(id: ObjectId): boolean {
    const object = this.byId.get(id);
    if (object === undefined || this.doubtful.has(id)) return false;
    const at = this.nameIds.ofObject(object);
    return at === undefined || this.names.entry(at)?.clouded !== true;
  }

  otherNames(id: ObjectId): readonly Name[] {
    const object = this.byId.get(id);
    const at = isRelation(object) ? this.nameIds.ofObject(object) : undefined;
    return at === undefined ? [] : (this.names.entry(at)?.also ?? []).map(other => this.nameIds.nameOf(other));
  }

  find(name: WrittenName, searchPath: Known<readonly string[]> = this.session.searchPath): Found<Relation> {
    return this.lookup('relation', name, searchPath) as Found<Relation>;
  }

  findType(name: WrittenName): Found<Type> {
    return this.lookup('type', name, this.session.searchPath) as Found<Type>;
  }

  findSchema(name: string): Found<Schema> {
    return this.lookup('schema', { schema: '', name }, []) as Found<Schema>;
  }

  /** A role, extension or schema by its one name. */
  findGlobal(kind: 'role' | 'extension' | 'schema', name: string): Found<CatalogObject> {
    return this.lookup(kind, { schema: '', name }, []);
  }

  findRoutines(name: WrittenName): readonly Routine[] {
    const found: Routine[] = [];
    for (const schema of name.schema !== undefined ? [name.schema] : this.schemasOf(this.session.searchPath) ?? [])
      for (const id of this.routinesNamed(schema, name.name)) {
        const object = this.byId.get(id);
        if (object?.kind === 'routine') found.push(object);
      }
    return found;
  }

  private routinesNamed(schema: string, name: string): readonly ObjectId[] {
    const at = this.nameIds.known('routine', schema, name);
    return (at === undefined ? undefined : this.routines.get(at)) ?? [];
  }

  objects(): readonly CatalogObject[] {
    return this.byId.values();
  }

  triggers(): readonly Trigger[] {
    return this.triggerIds.map(id => this.byId.get(id)).filter(object => object?.kind === 'trigger');
  }

  relations(): readonly Relation[] {
    return this.objects().filter(isRelation);
  }

  indexesOf(relation: ObjectId): readonly Index[] {
    const indexes: Index[] = [];
    for (const link of this.dependants(relation)) {
      const object = this.byId.get(link.dependent);
      if (object?.kind === 'index' && object.on === relation && !indexes.includes(object)) indexes.push(object);
    }
    return indexes;
  }

  dependants(id: ObjectId): readonly Dependency[] {
    return this.links.dependants(id);
  }

  dependencies(id: ObjectId): readonly Dependency[] {
    return this.links.dependencies(id);
  }

  /** The tables that inherit from a table, at every depth: partitions too. */
  descendants(table: ObjectId): readonly Table[] {
    if (!this.inheritance) return [];
    const found = new Map<ObjectId, Table>();
    const parents = [table];
    for (let parent = parents.pop(); parent !== undefined; parent = parents.pop())
      for (const { dependent } of this.dependants(parent)) {
        const object = dependent === table || found.has(dependent) ? undefined : this.get(dependent);
        if (object?.kind !== 'table' || !object.inherits.includes(parent)) continue;
        found.set(dependent, object);
        parents.push(dependent);
      }
    return [...found.values()];
  }

  /** Tables with a foreign key on this one. */
  referencing(id: ObjectId): readonly Table[] {
    return (this.referencedBy.get(id) ?? []).map(table => this.byId.get(table)).filter((object): object is Table => object?.kind === 'table');
  }

  /** Keeps `referencing` true for a table that comes, changes or goes. */
  private relink(table: ObjectId, old: CatalogObject | undefined, now: CatalogObject | undefined): void {
    if (old?.kind === 'table' && now?.kind === 'table' && old.constraints === now.constraints) return;
    const [before, after] = [referencedIn(old), referencedIn(now)];
    for (const id of before) if (!after.includes(id)) this.referencedBy = this.referencedBy.set(id, (this.referencedBy.get(id) ?? []).filter(other => other !== table));
    for (const id of after) if (!before.includes(id)) this.referencedBy = this.referencedBy.set(id, appended(this.referencedBy.get(id) ?? [], table));
  }

  /** The search path with `$user` resolved and pg_temp first, as schema names; undefined when it is unknown. */
  schemasOf(searchPath: Known<readonly string[]>): readonly string[] | undefined {
    return lookedIn(this, searchPath)?.schemas;
  }

  /** The schema an unqualified CREATE puts its object in; undefined when the search path is unknown or empty. */
  creationSchema(): string | undefined {
    let first: string | undefined;
    for (const schema of this.schemasOf(this.session.searchPath) ?? []) {
      if (isSystemSchema(schema) || schema === 'pg_temp') continue;
      if (this.findSchema(schema).is === 'present') return schema;
      first ??= schema;
    }
    return first;
  }

  private entry(namespace: Namespace, schema: string, name: string): Entry | undefined {
    const at = this.nameIds.known(namespace, schema, name);
    return at === undefined ? undefined : this.names.entry(at);
  }

  private lookup(namespace: Namespace, name: WrittenName, searchPath: Known<readonly string[]>): Found<never> | Found<CatalogObject> {
    if (isHole(name.name) || (name.schema !== undefined && isHole(name.schema))) return { is: 'unknown' };
    const schemas = name.schema !== undefined ? [name.schema] : this.schemasOf(searchPath);
    if (!schemas) return { is: 'unknown' };
    let gone: Evidence | undefined;
    for (let at = 0; at < schemas.length; at++) {
      const schema = schemas[at]!;
      if (schema === 'pg_temp' && !this.temporary) continue;
      const entry = this.entry(namespace, schema, name.name);
      if (entry === undefined) continue;
      if (entry.clouded === true) return { is: 'unknown' };
      const object = entry.id === undefined ? undefined : this.byId.get(entry.id);
      if (object) return { is: 'present', object };
      gone ??= entry.gone;
    }
    if (gone) return { is: 'absent', because: gone };
    const hidden = name.schema === undefined && this.world === 'closed' ? lookedIn(this, searchPath)?.hidden ?? [] : [];
    return this.complete || hidden.some(schema => this.entry(namespace, schema, name.name)?.id !== undefined) ? { is: 'absent' } : { is: 'unknown' };
  }

  // ── Changing (on a fork) ──

  newId(): ObjectId {
    return this.nextId++;
  }

  /** Adds an object or replaces the one with its id. */
  put(object: CatalogObject): void {
    const old = this.byId.get(object.id);
    if (object.kind === 'table') {
      this.relink(object.id, old, object);
      if (object.inherits.length > 0) this.inheritance = true;
    }
    if (object.kind === 'trigger' && !old) this.triggerIds = appended(this.triggerIds, object.id);
    this.byId = this.byId.set(object.id, object);
    if (old && sameName(old, object)) return;
    if (old) this.unname(old);
    const at = this.nameIds.ofObject(object);
    if (at !== undefined) {
      this.evict(at, object.id);
      this.names = this.names.with(at, { id: object.id });
      if (isRelation(object) && object.name.schema === 'pg_temp') this.temporary = true;
    } else if (object.kind === 'routine') {
      const { schema, name } = object.name;
      const same = this.routinesNamed(schema, name);
      if (!same.includes(object.id)) this.routines = this.routines.set(this.nameIds.of('routine', schema, name), [...same, object.id]);
    }
  }

  /** Whoever had a name in doubt has another by now, or is gone: Postgres would have refused to give it away. */
  private evict(at: number, owner: ObjectId): void {
    for (const object of this.candidates(at)) {
      if (object.id === owner) continue;
      const other = this.names.entry(at)?.also?.find(name => this.names.entry(name)?.id === object.id);
      if (other === undefined || !isRelation(object)) this.discard(object.id);
      else this.byId = this.byId.set(object.id, { ...object, name: this.nameIds.nameOf(other) });
    }
  }

  /** Who has the name, or may have it. */
  private candidates(at: number): readonly CatalogObject[] {
    return this.names.holders(at).flatMap(one => {
      const object = this.byId.get(one);
      return object !== undefined && this.nameIds.ofObject(object) === at ? [object] : [];
    });
  }

  /** An object whose name is in doubt is given another: if it is anywhere, then there. */
  moveDoubted(object: Relation, to: Name): void {
    const at = this.nameIds.of('relation', object.name.schema, object.name.name);
    const then = this.nameIds.of('relation', to.schema, to.name);
    const rivals = this.candidates(then).map(({ id }) => id).filter(id => id !== object.id);
    this.names = this.names.moveDoubt(at, then, object.id, rivals);
    this.byId = this.byId.set(object.id, { ...object, name: to });
  }

  private unname(object: CatalogObject): void {
    const at = this.nameIds.ofObject(object);
    if (at !== undefined) this.names = this.names.drop(at, object.id);
    if (object.kind === 'routine') {
      const { schema, name } = object.name;
      const rest = this.routinesNamed(schema, name).filter(id => id !== object.id);
      const named = this.nameIds.of('routine', schema, name);
      this.routines = rest.length > 0 ? this.routines.set(named, rest) : this.routines.delete(named);
    }
  }

  /** Records that the history took a name away; from now on the name is absent until it is made again. */
  markGone(object: CatalogObject, because: Evidence): void {
    const at = this.nameIds.ofObject(object);
    if (at !== undefined) this.names = this.names.markGone(at, because);
  }

  /** Records that nothing has this name, of which nothing was known: the history took it away unseen, or its creation was refused for another reason. */
  vanish(name: Name, because: Evidence): void {
    this.names = this.names.with(this.nameIds.of('relation', name.schema, name.name), { gone: because, unseen: true });
  }

  /** The one schema in which a relation of this name can stand; undefined when the search path has several. */
  schemaOf(name: WrittenName): string | undefined {
    const schemas = name.schema !== undefined ? [name.schema] : this.schemasOf(this.session.searchPath)?.filter(schema => schema !== 'pg_temp');
    return schemas?.length === 1 ? schemas[0] : undefined;
  }

  /** The objects that may have a name which is in doubt: several where each way of a branch made one of its own. */
  doubted(name: Name): readonly CatalogObject[] {
    const at = this.nameIds.of('relation', name.schema, name.name);
    return this.names.entry(at)?.clouded === true ? this.candidates(at) : [];
  }

  /** Removes one object, its dependencies and its name. */
  remove(object: CatalogObject, because: Evidence): void {
    this.unname(object);
    if (object.kind === 'table') this.relink(object.id, object, undefined);
    if (object.kind === 'trigger') this.triggerIds = this.triggerIds.filter(id => id !== object.id);
    this.discard(object.id);
    this.markGone(object, because);
    if (object.kind === 'routine' || object.kind === 'trigger') this.sites = this.sites.filter(site => site.holderId !== object.id);
  }

  /** The end of a session takes its temporary relations away. */
  endSession(): void {
    if (!this.temporary) return;
    for (const object of this.relations()) if (object.name.schema === 'pg_temp') {
      this.unname(object);
      this.discard(object.id);
    }
    this.temporary = false;
  }

  private discard(id: ObjectId): void {
    this.byId = this.byId.delete(id);
    this.links = this.links.without(id);
  }

  /** Nothing is known of this name from here on: code that mvlint does not follow touches it. */
  cloud(name: Name): void {
    this.names = this.names.cloud(this.nameIds.of('relation', name.schema, name.name));
    if (name.schema === 'pg_temp') this.temporary = true;
  }

  depend(link: Dependency): void {
    this.links = this.links.with(link);
  }

  /** A renamed column is followed by everything that uses it: dependencies are by position in Postgres. */
  renameDependedColumn(on: ObjectId, from: string, to: string): void {
    this.links = this.links.renameColumn(on, from, to);
  }

  /** Forgets what an object holds on to; with `column`, only what that column of it does. */
  clearDependencies(dependent: ObjectId, column?: string): void {
    this.links = this.links.release(dependent, column);
  }

  /**
   * From here on only what is true here and in the other store, which both grew from one: the catalog after a branch that was taken or not.
   * What one of them lacks, or has differently, is there under a clouded name: `find` answers unknown.
   */
  join(other: Store): void {
    for (const id of this.byId.differences(other.byId)) {
      const [ours, theirs] = [this.byId.get(id), other.byId.get(id)];
      const { object, sure } = ours && theirs ? blend(ours, theirs) : { object: ours ?? theirs, sure: false };
      if (object === undefined) continue;
      this.byId = this.byId.set(id, object);
      if (object.kind === 'index' && (!ours || !theirs)) this.byId = this.byId.set(id, { ...object, valid: { unknown: 'whether the index was made' } });
      const at = sure ? undefined : this.nameIds.ofObject(object);
      if (!sure && at === undefined) this.doubtful = this.doubtful.set(id, true);
      if (at === undefined) continue;
      const rivals = new Set([...this.candidates(at), ...other.candidates(at)].flatMap(one => (one.id === id || !this.byId.has(one.id) ? [] : [one.id])));
      this.names = this.names.doubt(at, id, theirs && this.nameIds.ofObject(theirs), [...rivals]);
    }
    this.names = this.names.join(other.names);
    for (const at of this.routines.differences(other.routines)) this.routines = this.routines.set(at, both(this.routines.get(at), other.routines.get(at)));
    this.links = this.links.join(other.links);
    for (const id of this.referencedBy.differences(other.referencedBy))
      this.referencedBy = this.referencedBy.set(id, both(this.referencedBy.get(id), other.referencedBy.get(id)));
    this.triggerIds = both(this.triggerIds, other.triggerIds);
    for (const id of this.doubtful.differences(other.doubtful)) this.doubtful = this.doubtful.set(id, true);
    this.nextId = Math.max(this.nextId, other.nextId);
    this.temporary ||= other.temporary;
    this.inheritance ||= other.inheritance;
    this.complete &&= other.complete;
    if (other.world === 'open') this.world = 'open';
    // A job that one way took off the schedule surely runs on no way.
    const [mine, theirs] = [new Set(this.sites), new Set(other.sites)];
    this.sites = both(this.sites, other.sites).filter(site => site.by !== 'job' || (mine.has(site) && theirs.has(site)));
    this.defaultPrivileges = both(this.defaultPrivileges, other.defaultPrivileges);
    // Only what is revoked on every way is surely gone.
    this.temporaryFor = both(this.temporaryFor, other.temporaryFor);
    this.session = blendSessions(this.session, other.session);
  }
}

/** What a new database holds that matters: the schema public, owned by pg_database_owner. */
export function emptyCatalog(options: { readonly searchPath?: readonly string[]; readonly role?: string } = {}): Store {
  const store = new Store();
  store.put({ kind: 'schema', id: store.newId(), name: 'public', owner: 'pg_database_owner', grants: new Map([['public', new Set(['USAGE'])]]) });
  store.session = {
    searchPath: options.searchPath ?? store.session.searchPath,
    role: options.role ?? store.session.role,
    parameters: new Map(),
  };
  return store;
}
