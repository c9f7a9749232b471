/**
 * The door for rules: everything a rule may use, and nothing else. A rule is one file that calls `rule({ … })`; outside authors import
 * this module as `mvlint/rule`.
 */
export type * from './model.ts';
export { rule, type RuleDefinition } from './rule/definition.ts';
export { asWritten, count, describe, describeIndex, keyText, list, qualified, quote } from './rule/words.ts';
export { lostInReplacements, regclass, type Lost } from './rule/lost.ts';
export { evidence, isSelectable, isUnknown, known, madeAt, sameName, sameSpan, startsWith } from './rule/facts.ts';
export { refreshesBy, refreshesOf, refreshPlans, runsOneOf, type RefreshPlan, type TriggeredRefresh } from './rule/calls.ts';
export { freshSites, sitesNaming, sitesOf, sitesOutside } from './rule/sites.ts';
export { blindLookups, type BlindLookup } from './rule/guards.ts';
export { blindHandlers, emptiedRefuses, type BlindHandler } from './rule/handlers.ts';
export { countDependants, feedsMatview, matviewsBeneath, matviewsOver, matviewsReading, tablesBeneath, viewsBeneath } from './rule/dependants.ts';
export { provedKeys, whyNoKey, type ProvedKey } from './rule/keys.ts';
export { breaksUniqueIndex } from './rule/unique-experiments.ts';
export { equivalentIndex, hasUsableUniqueIndex, passedOver, unusable, usableUniqueIndexes } from './rule/indexes.ts';
export {
  givenWords, happenings, isBlind, lostIndexes, nameChanges, nameTakers, replacements, takenWords, type End, type Happening, type Replacement,
} from './rule/replacements.ts';
export {
  countsAfter, keepsDefinition, missingBefore, nameGone, printsAnother, refreshRefused, refusedAfter, refusedInTransaction, refuses,
  staleAfterRefreshes, takesAlong,
} from './rule/experiments.ts';
export { normalOf } from './query/normal.ts';
export { sameShape } from './query/same.ts';
export { lockWords, refreshLock } from './rule/locks.ts';
export { firesRefresh, holdsLock, locksOut, waitsWithoutLimit } from './rule/lock-experiments.ts';
export { generationBeside, isAside, liveName, stemOf, together } from './rule/generations.ts';
export { refusesImmv } from './rule/immv-experiment.ts';
export { readsOldGeneration } from './rule/swap-experiments.ts';
export { failsPrepared, rewritesNullKeys, showsHiddenRows } from './rule/session-experiments.ts';
export { rowsSlide } from './rule/window-experiment.ts';
export { holdsNulls, lacksIndexes, lacksUsableIndex, ownerRefused } from './rule/observations.ts';
export { wildcard } from './rule/wildcard.ts';
export { refreshTwice, type Flip } from './rule/refresh-twice.ts';
export { usedRoutines, type UsedRoutine } from './rule/routines.ts';
export { refreshFails, unqualifiedCalls, type UnqualifiedCall } from './rule/unqualified.ts';
export { newOrigins, newTaints, steadyColumns, stillThere, type SeenTaint } from './rule/taints.ts';
export {
  engineName, isStored, maintainedBy, maintainedOver, maintainedSince, placeOf, readsOf, reasonEvidence, reasonText, stopsWrites, stopsWritesTo,
  visibleColumns, type Stored,
} from './rule/incremental.ts';
export { lacksTemporary, unreadableSource } from './catalog/privileges.ts';
export { clockOut } from './rewrite/clock-out.ts';
export { quoteLiteral, quoteName } from './sql/print.ts';
