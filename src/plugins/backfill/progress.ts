/** How far a run is, counted over all runs of its plan; the `new` figures are this run's. */
export type ProgressFigures = {
  readonly chunks: { readonly done: number; readonly total: number; readonly failed: number }
  readonly rows: number
  readonly bytes: number
  readonly newRows: number
  readonly newBytes: number
  /** Of the source's rows, or else of the chunks: how much was done before this run and is done now, 0 to 1. */
  readonly shareBefore: number
  readonly share: number
  readonly elapsedMs: number
}

/** `3/28 chunks, 1.2 M rows, 34 MB, 250 k rows/s, 8.1 MB/s, 1 m 20 s left`. Pure. */
export function progressLine(figures: ProgressFigures): string {
  const { chunks, elapsedMs, newRows, newBytes } = figures
  const seconds = elapsedMs / 1000
  const parts = [`${chunks.done}/${chunks.total} chunks`]
  if (chunks.failed > 0) parts.push(`${chunks.failed} failed`)
  parts.push(`${short(figures.rows)} rows`, short(figures.bytes, 'B'))
  if (seconds > 0 && newRows > 0)
    parts.push(`${short(newRows / seconds)} rows/s`, `${short(newBytes / seconds, 'B/s')}`)
  const left = timeLeftMs(figures)
  if (left !== undefined) parts.push(`${showDuration(left)} left`)
  return parts.join(', ')
}

/** By this run's own speed; undefined before it has done anything. Pure. */
export function timeLeftMs({ share, shareBefore, elapsedMs }: ProgressFigures): number | undefined {
  if (share <= shareBefore) return undefined
  return (elapsedMs * (1 - share)) / (share - shareBefore)
}

const STEPS = ['', 'k', 'M', 'G', 'T']

/** `950`, `1.2 k`, `34 M`, with a thousand as the step; `unit` follows the step. */
export function short(value: number, unit = ''): string {
  let rest = value
  let step = 0
  while (rest >= 1000 && step < STEPS.length - 1) {
    rest /= 1000
    step++
  }
  const text = rest.toFixed(step === 0 || rest >= 100 ? 0 : 1)
  return `${text} ${STEPS[step]}${unit}`.trimEnd()
}

/** `42 s`, `3 m 5 s`, `2 h 10 m`. */
export function showDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`
}
