// Why something happened to a person in a journey: the server's code with its data, in the reader's language.
import { type Schemas, wordsFor } from '@/api'
import { formatList, formatNumber, formatTimeIn, hasText, t, word } from '@/i18n'
import { reasonText } from '@/report/reason'
import { type Names, matchText, outputText, spanText } from './words'
import type { Step } from './graph'

type Reason = Schemas['JourneyReason']
type Data = Record<string, unknown>

const str = (v: unknown) => (typeof v === 'string' ? v : typeof v === 'number' ? formatNumber(v) : '')
const list = (v: unknown) => (Array.isArray(v) ? formatList(v.map(String)) : '')
const at = (d: Data) => formatTimeIn(str(d.at), str(d.zone))

/** What was waited for or looked out for: an event, a form, a change of a segment, a condition. */
function about(d: Data, names: Names): string {
  const parts = [
    typeof d.what === 'object' && d.what !== null ? matchText(d.what as Data, names) : undefined,
    d.rule === true ? t('journey_reason.the_rule') : undefined,
  ].filter((p) => p !== undefined)
  return parts.length ? formatList(parts, 'or') : '…'
}

const args = (d: Data) => (Array.isArray(d.args) ? d.args.map(String) : undefined)

const why = (d: Data) => wordsFor(str(d.code), args(d)) ?? str(d.text)

/** journeyReason({ code: 'waited', data: { span: { n: 3, unit: 'day' } } }) is "Waited 3 days". */
export function journeyReason(r: Reason | undefined, names: Names = {}, step?: Step, refused?: string): string {
  if (!r) return ''
  const d: Data = r.data ?? {}
  const say = (values: Record<string, string | number> = {}, key: string = r.code) => t(`journey_reason.${key}`, values)
  switch (r.code) {
    case 'exit_rule':
      if (d.text || d.what) return say({ what: str(d.text) || about(d, names) })
      return say({}, 'exit_rule_plain')
    case 'exit_node':
      return d.text ? say({ text: str(d.text) }, 'exit_node_text') : say()
    case 'message_refused':
      return refused ? reasonText(refused, d) : say()
    case 'traits_set':
    case 'nothing_set': {
      let text = say({ traits: list(d.traits) })
      if (d.missing) text = say({ text, missing: list(d.missing) }, 'missing')
      return d.unfit ? say({ text, unfit: list(d.unfit) }, 'unfit') : text
    }
    case 'answered':
      return d.tries ? say({ status: String(d.status), count: Number(d.tries), n: str(d.tries) }) : say({ status: String(d.status) })
    case 'not_led':
      return say({ journey: names[str(d.journey)] ?? '…', why: word('journey_turned', str(d.why)) })
    case 'test_decided':
      return say({ way: outputText(str(d.way), step) })
    case 'drew':
    case 'drew_in':
    case 'drew_out':
      return say({ share: formatNumber(Number(d.share), { maximumFractionDigits: 2 }), percent: str(d.percent) })
    case 'not_called':
    case 'list_failed':
      return say({ text: why(d) })
  }
  if (!hasText(`journey_reason.${r.code}`)) {
    // An error's own code: our words if there are some, else the server's, which are English.
    return wordsFor(r.code, args(d)) ?? t('journey_reason.failed', { text: str(d.text) || r.code })
  }
  return say({
    text: str(d.text),
    span: spanText(d.span),
    time: d.at ? at(d) : '',
    what: about(d, names),
    event: str(d.event),
    trait: str(d.trait),
    name: str(d.name),
    value: str(d.value),
    journey: names[str(d.journey)] ?? '…',
    from: str(d.from),
    to: str(d.to),
    version: str(d.version),
  })
}
