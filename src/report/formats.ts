import type { Report } from '../model.ts';
import type { Renderer, Rendering } from './rendering.ts';

/** Every format, loaded when asked for. */
const renderers = {
  text: async () => (await import('./text.ts')).text,
  json: async () => (await import('./json.ts')).json,
  sarif: async () => (await import('./sarif.ts')).sarif,
  github: async () => (await import('./github.ts')).github,
  gitlab: async () => (await import('./gitlab.ts')).gitlab,
  junit: async () => (await import('./junit.ts')).junit,
  rdjson: async () => (await import('./rdjson.ts')).rdjson,
  markdown: async () => (await import('./markdown.ts')).markdown,
  gcc: async () => (await import('./gcc.ts')).gcc,
} satisfies Record<string, () => Promise<Renderer>>;

export type Format = keyof typeof renderers;
export const formats: readonly Format[] = Object.keys(renderers) as Format[];
export const isFormat = (text: string): text is Format => Object.hasOwn(renderers, text);

/** The report in a format, ready to be written. */
export async function render(format: Format, report: Report, rendering: Rendering): Promise<string> {
  return (await renderers[format]())(report, rendering);
}
