import { ALL_STATEMENTS, crashMatrix } from '../support/crash-matrix.js'

crashMatrix(() => ALL_STATEMENTS)
