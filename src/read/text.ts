import type { Files, Gap } from '../model.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

/** One source as text. Offsets count UTF-16 units of `text`, a leading BOM (kept as one unit) included, so editors agree. */
export interface Source {
  readonly path: string;
  readonly text: string;
  /** Bytes that are not text. When the whole file is none, `text` is empty. */
  readonly gaps: readonly Gap[];
}

/** More places than this are counted in the last gap. */
const mostPlaces = 8;

/** Decodes UTF-8. Wrong bytes become U+FFFD and a gap where they stand; UTF-16 and binary files become one gap and no text. */
export function decode(path: string, bytes: Uint8Array): Source {
  const whole = (because: string): Source => ({ path, text: '', gaps: [{ span: { path, start: 0, end: 0 }, because }] });
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    return whole('UTF-16 file: mvlint reads UTF-8, so nothing of it was read.');
  }
  if (bytes.indexOf(0) >= 0) return whole('Binary file (it holds NUL bytes): nothing of it was read.');
  try {
    return { path, text: strict.decode(bytes), gaps: [] };
  } catch {
    const text = lenient.decode(bytes);
    return { path, text, gaps: wrongBytes(path, text) };
  }
}

function wrongBytes(path: string, text: string): readonly Gap[] {
  const places = [...text.matchAll(/\uFFFD+/g)];
  return places.slice(0, mostPlaces).map((place, i) => {
    const rest = i === mostPlaces - 1 ? places.length - mostPlaces : 0;
    return {
      span: { path, start: place.index, end: place.index + place[0].length },
      because: `Bytes that are not UTF-8${rest > 0 ? ` (and ${rest} more places in this file)` : ''}.`,
    };
  });
}

/** The file as text, or undefined when it cannot be read. */
export function readSource(files: Files, path: string): Source | undefined {
  const text = files.readText?.(path);
  if (text !== undefined) return { path, text, gaps: [] };
  const bytes = files.read(path);
  return bytes === undefined ? undefined : decode(path, bytes);
}

/** The text that the spans of a file count in; undefined when there is no such file. */
export const sourceText = (files: Files, path: string): string | undefined => readSource(files, path)?.text;
