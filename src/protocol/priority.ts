/** How an agent says of a document that it may wait behind others: the HTTP header `priority` (RFC 9218). */

export const PRIORITY_HEADER = 'priority';

/** For documents of a backlog: urgency 7 is that of work in the background (RFC 9218 section 4.1). */
export const BACKLOG_PRIORITY = 'u=7';

/** `u` is a member of a dictionary (RFC 8941 section 3.2), whose other members say nothing here. */
const BACKLOG = /(?:^|,)[ \t]*u=7[ \t]*(?:[,;]|$)/;

/** Whether a request with this header carries a document of a backlog. */
export function isBacklogPriority(header: string | string[] | undefined): boolean {
  return typeof header === 'string' && BACKLOG.test(header);
}
