import type { Meta, Rule } from '../model.ts';

/** What a rule file gives: its prose, and the check unless another part of mvlint raises it. */
export type RuleDefinition = Meta & Pick<Rule, 'deploysWith'> & { readonly check?: Rule['check'] };

/** Makes a rule of its prose and its check. A rule without a check says in `raisedBy` who raises it. */
export function rule(definition: RuleDefinition): Rule {
  const { check = {}, deploysWith, ...meta } = definition;
  return { meta, check, ...(deploysWith === undefined ? {} : { deploysWith }) };
}
