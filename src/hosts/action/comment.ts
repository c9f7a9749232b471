/**
 * The one comment on a pull request that every run brings up to date, by three REST calls.
 */
export interface CommentTarget {
  readonly api: string;
  /** `owner/name` */
  readonly repository: string;
  readonly issue: number;
  readonly token: string;
  /** A hidden first line by which the next run finds the comment again. */
  readonly marker: string;
}
/** What became of the comment; `refused` says why in words for the job summary. */
export type CommentOutcome = { readonly did: 'created' | 'updated' | 'nothing' } | { readonly did: 'refused'; readonly because: string };

const pages = 30; // 3,000 comments; beyond that a second comment is the lesser evil

/**
 * Updates the comment that begins with the marker, or creates it. A pull request that never had findings (`quiet`) gets none.
 * Never throws: a token that may only read, as every token of a pull request from a fork, is an outcome.
 */
export async function keepComment(target: CommentTarget, body: string, quiet: boolean): Promise<CommentOutcome> {
  const comments = `${target.api}/repos/${target.repository}/issues`;
  const request = async (method: string, url: string, payload?: unknown): Promise<{ status: number; data: unknown }> => {
    const response = await fetch(url, {
      method,
      headers: {
        accept: 'application/vnd.github+json', authorization: `Bearer ${target.token}`, 'content-type': 'application/json',
        'user-agent': 'mvlint', 'x-github-api-version': '2022-11-28',
      },
      ...(payload === undefined ? {} : { body: JSON.stringify(payload) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    return { status: response.status, data: response.ok && text ? JSON.parse(text) : undefined };
  };
  const refused = (status: number): CommentOutcome => ({
    did: 'refused',
    because: status === 403 || status === 404
      ? `the token may not write to the pull request (status ${status}); it needs pull-requests: write, which a pull request from a fork does not get`
      : `GitHub answered with status ${status}`,
  });
  try {
    let known: number | undefined;
    for (let page = 1; page <= pages && known === undefined; page++) {
      const { status, data } = await request('GET', `${comments}/${target.issue}/comments?per_page=100&page=${page}`);
      if (status !== 200) return refused(status);
      const list = data as readonly { readonly id: number; readonly body?: string | null }[];
      known = list.find(comment => comment.body?.startsWith(target.marker))?.id;
      if (list.length < 100) break;
    }
    if (known === undefined && quiet) return { did: 'nothing' };
    const payload = { body: `${target.marker}\n${body}` };
    const { status } = known === undefined
      ? await request('POST', `${comments}/${target.issue}/comments`, payload)
      : await request('PATCH', `${comments}/comments/${known}`, payload);
    if (status >= 300) return refused(status);
    return { did: known === undefined ? 'created' : 'updated' };
  } catch (error) {
    return { did: 'refused', because: `GitHub could not be reached (${error instanceof Error ? error.message : String(error)})` };
  }
}
