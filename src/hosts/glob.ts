/** Whether a word is a pattern, not a plain path. */
export const isGlob = (word: string): boolean => /[*?[\]{}]/.test(word);

/** A glob pattern as a regular expression over a whole path: `*` and `?` stay inside one folder, `**` crosses them, `[a-c]`, `{a,b}`. */
export function globToRegExp(pattern: string): RegExp {
  let source = '';
  let braces = 0;
  for (let index = 0; index < pattern.length; index += 1) {
    const letter = pattern[index] ?? '';
    if (letter === '*') {
      if (pattern[index + 1] !== '*') source += '[^/]*';
      else if (pattern[index + 2] === '/') [source, index] = [`${source}(?:.*/)?`, index + 2];
      else [source, index] = [`${source}.*`, index + 1];
    } else if (letter === '?') source += '[^/]';
    else if (letter === '{') [source, braces] = [`${source}(?:`, braces + 1];
    else if (letter === '}' && braces > 0) [source, braces] = [`${source})`, braces - 1];
    else if (letter === ',' && braces > 0) source += '|';
    else if (letter === '[' && pattern.indexOf(']', index + 2) > 0) {
      const end = pattern.indexOf(']', index + 2);
      source += `[${pattern.slice(index + 1, end).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`;
      index = end;
    } else source += letter.replace(/[\\^$.|+()[\]{}*?]/, '\\$&');
  }
  try {
    return new RegExp(`^${source}${')'.repeat(braces)}$`, 'u');
  } catch {
    return /(?!)/;
  }
}
