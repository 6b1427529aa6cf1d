/** The property tests at length: `npm run test:long`. */
process.env.CHKIT_PROPERTY_RUNS ??= '2000'
process.env.CHKIT_PROPERTY_SEED ??= '7'

await import('./property.test.js')

export {}
