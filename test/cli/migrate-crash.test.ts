import { crashMatrix } from '../support/crash-matrix.js'

/** One statement of each kind; all twenty are in `migrate-crash.long.test.ts`. */
crashMatrix([0, 2, 4, 6, 12, 13, 17])
