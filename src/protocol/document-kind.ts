/** The two kinds of documents in a chain, and where they are posted. */

/** What a window was (`summary`), or an event between two of them (`record`). */
export type DocumentKind = 'summary' | 'record';

/** The route of the collector that takes documents of both kinds. */
export const DOCUMENTS_ROUTE = '/v1/documents';
