import { killTests } from './kill-cases.js'

killTests(10)
