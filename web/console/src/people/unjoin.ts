import { call, refresh, type Schemas } from '@/api'
import { t } from '@/i18n'
import { toast, toastError, toastUndo } from '@/ui'

type Person = Schemas['Person']

const patience = 20_000 // milliseconds: a joining goes through the log within seconds
const pause = 500
const settling = 2500 // until what was decided has gone through the log, too

/** Takes back that two people were made one: whoever lost their record is parted again with the identifiers that they had. */
async function unjoin(one: Person, two: Person): Promise<boolean> {
  for (const until = Date.now() + patience; Date.now() < until; await new Promise((r) => setTimeout(r, pause))) {
    const now = await call('get', '/api/v1/people/{id}', { path: { id: one.id } })
    const lost = now.id === one.id ? two : one
    const theirs = lost.identifiers
      .filter((i) => now.identifiers.some((x) => x.kind === i.kind && x.value === i.value))
      .map(({ kind, value }) => ({ kind, value }))
    if (theirs.length === 0) continue // they are two still
    await call('post', '/api/v1/people/{id}/split', { path: { id: now.id }, body: { identifiers: theirs } })
    return true
  }
  return false
}

/** Says that two become one, and lets it be undone for ten seconds. */
export function toastJoined(text: string, one: Person, two: Person) {
  const anew = () => void refresh(['/api/v1/people', '/api/v1/people-suggestions'])
  toastUndo(text, () => {
    unjoin(one, two).then((done) => {
      toast(t(done ? 'person.unjoined' : 'person.unjoin_late', { one: nameOf(one), two: nameOf(two) }))
      anew()
      setTimeout(anew, settling)
    }, toastError)
  })
}

const nameOf = (p: Person) => p.name || p.email || p.id
