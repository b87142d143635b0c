import { hasText, t } from '@/i18n'

export interface Fault {
  location?: string
  code?: string
  message: string
  /** What the message names, in its order. */
  args?: string[] | null
}

/** The words for a code of the server, {0} being the first thing that it names; undefined if no catalogue has the code. What is wrong with content is
 * said in the same words whether it was found while writing or while saving. */
export const wordsFor = (code?: string, args?: string[] | null): string | undefined => {
  if (!code) return
  const last = code.slice(code.lastIndexOf('.') + 1)
  const key = [
    `error.${code}`,
    ...(code.startsWith('content.') ? [`finding.error.${last}`] : []),
    ...(last === 'not_found' ? ['error.not_found'] : []), // of things of which there is no more to say
  ].find(hasText)
  return key && t(key, Object.fromEntries((args ?? []).entries()))
}

/** What is wrong, in the reader's language where the catalogue has it. */
export const wordsOf = (f: Fault): string => wordsFor(f.code, f.args) ?? f.message

/** An answer of the API that is no success (RFC 9457). The code is stable; the detail names the remedy in English. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: string
  readonly field?: string
  readonly args?: string[] | null
  readonly faults: Fault[]
  /** What to tell whoever reads the server's log. */
  readonly request?: string

  constructor(
    status: number,
    body: { code?: string; detail?: string; title?: string; field?: string; args?: string[] | null; errors?: Fault[] | null },
    request?: string,
  ) {
    super(body.detail ?? body.title ?? String(status))
    this.status = status
    this.code = body.code ?? 'internal'
    this.field = body.field
    this.args = body.args
    this.faults = body.errors ?? []
    this.request = request
  }

  static from(response: Response, body: unknown): Problem {
    const shape =
      typeof body === 'object' && body !== null ? body : { detail: typeof body === 'string' && body ? body : response.statusText }
    return new Problem(response.status, shape, response.headers.get('X-Request-Id') ?? undefined)
  }
}

/** describe words an error for a reader: its text in the catalogue if there is one, else the server's own words; of several faults the first five. */
export function describe(err: unknown): string {
  if (!(err instanceof Problem)) return t('error.internal')
  const all = [...new Set(err.faults.map((f) => wordsOf(f)))]
  if (all.length > 1) return all.slice(0, 5).join(' ')
  const words = wordsFor(err.code, err.args)
  if (words) return words
  const first = err.faults[0]
  const text = (first && wordsFor(first.code, first.args)) ?? err.message
  return err.field ? t('error.at_field', { field: err.field, text }) : text
}

/** Words for what failed while nobody waited for it, as the API keeps it. */
export const troubleText = (x: { code?: string; args?: string[] | null; detail: string }): string => wordsFor(x.code, x.args) ?? x.detail

/** Errors by input name, for a form. Locations such as "body.caps[0].limit" become "caps.0.limit". */
export function fieldErrors(err: unknown): Record<string, string> {
  if (!(err instanceof Problem)) return {}
  const faults =
    err.faults.length > 0 ? err.faults : err.field ? [{ location: err.field, code: err.code, message: err.message, args: err.args }] : []
  const out: Record<string, string> = {}
  for (const f of faults) {
    if (!f.location) continue
    const name = f.location.replace(/^body\./, '').replace(/\[(\d+)\]/g, '.$1')
    out[name] ??= wordsOf(f)
  }
  return out
}
