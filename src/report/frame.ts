/** A line of source with a mark beneath it, for terminals: tabs, wide letters and control characters take the room they are given here. */
export interface Frame {
  readonly source: string;
  readonly mark: string;
}

/** Longest source line that is shown whole; of a longer one the part around the mark is. */
const room = 120;

/** Made when a line is not plain ASCII: it is costly, and most are. */
let segmenter: Intl.Segmenter | undefined;
const segments = (): Intl.Segmenter => (segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' }));

function* letters(text: string): Iterable<{ readonly segment: string; readonly index: number }> {
  for (let index = 0; index < text.length; index += 1) yield { segment: text[index] ?? '', index };
}

/**
 * @param line The line without its line end.
 * @param from First marked column, 1-based in UTF-16 units.
 * @param to Column after the last marked one; at least one place is marked.
 */
export function frame(line: string, from: number, to: number): Frame {
  const [start, end] = [from - 1, Math.max(to - 1, from)];
  const left = line.length <= room ? 0 : Math.max(0, Math.min(start - 30, line.length - room));
  const right = line.length <= room ? line.length : left + room;
  let source = left > 0 ? '…' : '';
  let before = left > 0 ? 1 : 0;
  let marked = 0;
  const shownLine = line.slice(left, right);
  for (const { segment, index: offset } of /^[ -~]*$/.test(shownLine) ? letters(shownLine) : segments().segment(shownLine)) {
    const index = left + offset;
    const shown = printable(segment);
    source += shown;
    if (index < start) before += width(shown);
    else if (index < end) marked += width(shown);
  }
  if (right < line.length) source += '…';
  return { source, mark: `${' '.repeat(before)}${'^'.repeat(Math.max(1, marked))}` };
}

/** Nothing in a migration may steer the reader's terminal: tabs become blanks, other control characters a visible stand-in. */
export function printable(text: string): string {
  return text.replaceAll('\t', '    ').replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, control => {
    const code = control.charCodeAt(0);
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : '\ufffd';
  }).replaceAll('\ufeff', '');
}

/** How many places of a terminal one grapheme takes; the blocks of Unicode's East Asian Width that are W or F, and emoji. */
function width(grapheme: string): number {
  if (grapheme.length === 1 && grapheme <= '~') return 1;
  if (/^[ ]+$/.test(grapheme)) return grapheme.length;
  if (grapheme === '') return 0;
  return /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}])/u
    .test(grapheme) ? 2 : 1;
}
