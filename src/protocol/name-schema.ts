/** The schema of names. */

import { z } from 'zod';

/** Names of PoPs, probe classes and peers: lower case, so that they are safe in file names, URLs and labels. */
export const nameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
