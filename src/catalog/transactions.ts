import type { Effect, Step, Unit } from '../model.ts';
import { withParameter } from './session.ts';
import type { Store } from './store.ts';

interface Open {
  readonly number: number;
  /** Who opened it: the author (BEGIN), the tool, or a string of several commands. */
  by: 'author' | 'tool' | 'string';
  readonly scope: Unit['scope'];
  readonly scopeId: string;
  readonly saved: Store;
  readonly savepoints: { readonly name: string; readonly store: Store; readonly steps: number }[];
  readonly steps: Step[];
  /** What SET LOCAL replaced, by parameter. */
  readonly locals: Map<string, string | undefined>;
  aborted: boolean;
}

/**
 * The transaction state of one connection, and the steps that wait for its end. A step reaches the rules when its transaction commits, or when a refusal
 * undid it (the reader wants to know of both); what ROLLBACK undid on purpose does not.
 */
export class Transactions {
  private open: Open | undefined;
  private count = 0;
  private done: Step[] = [];

  /** Inside a block that an author's BEGIN or the tool opened. */
  get explicit(): boolean {
    return this.open !== undefined && this.open.by !== 'string';
  }

  get aborted(): boolean {
    return this.open?.aborted === true;
  }

  private start(by: Open['by'], unit: Pick<Unit, 'scope' | 'scopeId'>, store: Store): void {
    this.open = { number: ++this.count, by, scope: unit.scope, scopeId: unit.scopeId, saved: store, savepoints: [], steps: [], locals: new Map(), aborted: false };
  }

  /** Opens the transaction that the unit's scope or protocol asks for; a scope that goes on keeps its transaction. */
  enterUnit(unit: Unit, store: Store): Store {
    const goesOn = this.open?.by === 'tool' && this.open.scopeId === unit.scopeId && unit.scope !== 'none';
    if (goesOn) return store;
    const settled = this.open?.by === 'tool' ? this.commit(store) : store;
    if (this.open) return settled;
    if (unit.scope !== 'none') this.start('tool', unit, settled);
    else if (unit.protocol !== 'single' && unit.statements.length > 1) this.start('string', unit, settled);
    return settled;
  }

  /** Ends the implicit transaction of a string of commands. */
  leaveUnit(store: Store): Store {
    return this.open?.by === 'string' ? this.commit(store) : store;
  }

  /** Ends the transaction that the tool opened for this migration; that of a batch stays open. */
  leaveMigration(store: Store): Store {
    return this.open?.by === 'tool' && this.open.scope === 'migration' ? this.commit(store) : store;
  }

  begin(store: Store): void {
    if (this.open) {
      if (this.open.by === 'string') this.open.by = 'author';
      return;
    }
    this.start('author', { scope: 'none', scopeId: '' }, store);
  }

  /** Ends the transaction: COMMIT of an aborted one rolls back. SET LOCAL is put back. */
  commit(store: Store): Store {
    const open = this.open;
    if (!open) return store;
    this.open = undefined;
    this.done.push(...open.steps);
    if (open.locals.size === 0) return open.aborted ? open.saved : store;
    const after = (open.aborted ? open.saved : store).fork();
    for (const [name, value] of open.locals) after.session = withParameter(after.session, name, value, open.saved.session);
    return after;
  }

  /** ROLLBACK on purpose: its steps never happened. One that ends an aborted transaction keeps them, for their refusal. */
  rollback(store: Store): Store {
    const open = this.open;
    if (!open) return store;
    this.open = undefined;
    if (open.aborted) this.done.push(...open.steps);
    return open.saved;
  }

  savepoint(name: string, store: Store): void {
    this.open?.savepoints.push({ name, store, steps: this.open.steps.length });
  }

  rollbackTo(name: string, store: Store): Store {
    const open = this.open;
    const at = open?.savepoints.findLastIndex(savepoint => savepoint.name === name) ?? -1;
    const savepoint = open?.savepoints[at];
    if (!open || !savepoint) return store;
    open.savepoints.length = at + 1;
    open.steps.splice(savepoint.steps, open.steps.length, ...open.steps.slice(savepoint.steps).filter(step => step.refusal));
    open.aborted = false;
    return savepoint.store;
  }

  /** A refusal: inside a transaction everything since its beginning is undone, and the rest is refused until it ends. */
  abort(): void {
    if (this.open) this.open.aborted = true;
  }

  /** The connection closes: an author's open transaction is rolled back, a tool's is committed. */
  disconnect(store: Store): Store {
    if (!this.open) return store;
    return this.open.by === 'author' ? this.rollback(store) : this.commit(store);
  }

  noteLocal(name: string, previous: string | undefined): void {
    if (this.open && !this.open.locals.has(name)) this.open.locals.set(name, previous);
  }

  /** SET LOCAL: remembered for the end of the transaction, without effect outside of one. */
  noteLocals(before: Store, after: Store, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind !== 'setParameter' || !effect.local) continue;
      if (this.open) this.noteLocal(effect.name, before.session.parameters.get(effect.name));
      else after.session = before.session;
    }
  }

  /** Files a step with its transaction. */
  add(step: Omit<Step, 'transaction'>): void {
    if (this.open) this.open.steps.push({ transaction: this.open.number, ...step });
    else this.done.push(step);
  }

  /** Files the step that ended a transaction. */
  addOutside(step: Omit<Step, 'transaction'>): void {
    this.done.push(step);
  }

  /** The steps that are settled; those of a tool's open batch are handed out as they stand. */
  takeSteps(): readonly Step[] {
    const steps = [...this.done, ...(this.open?.by === 'tool' ? this.open.steps.splice(0) : [])];
    this.done = [];
    return steps.sort((a, b) => a.ordinal - b.ordinal);
  }
}
