import type { Migration } from '../model.ts';

/** A migration before its place in the history (deploy, shipped) is known. */
export type MigrationDraft = Omit<Migration, 'deploy' | 'shipped'> & {
  /** Other files it was read from: down scripts, included files. */
  readonly others?: readonly string[];
};
