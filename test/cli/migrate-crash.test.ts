import { crashMatrix } from '../support/crash-matrix.js'

/** One statement of each kind, taken in turn by the points of disturbance; `migrate-crash.long.ts` has all of both. */
const KINDS = [0, 2, 4, 6, 12, 13, 17]

crashMatrix((point) => [KINDS[point % KINDS.length] ?? 0])
