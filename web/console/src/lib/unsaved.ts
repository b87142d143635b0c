// What is written and not saved yet, for editors that are saved by a button since what they save goes live at once. It lies in this browser at once and on the
// server a moment after the last change: a page that is closed, a crash, a lost connection or another device takes nothing with it. Editors of drafts save
// themselves: see autosave.
import { useCallback, useEffect, useEffectEvent, useState } from 'react'
import { call, Problem, type Schemas } from '@/api'

export type Kind = 'template' | 'snippet' | 'brand' | 'segment' | 'campaign' | 'series'

/** Where what is written lies: nowhere yet, on its way, on the server, only here since the server is out of reach, only here since it takes no more. */
export type Keeping = 'none' | 'saving' | 'kept' | 'offline' | 'here'

const pause = 1000 // milliseconds without a change before it goes to the server
const again = 5000 // milliseconds before it is tried again when the server could not be reached

interface Options<D> {
  kind: Kind
  /** What is edited; "new" if it does not exist yet. Nothing is kept without it. */
  id: string | undefined
  /** What the reader has begun with; 0 where nobody counts. */
  revision: number
  now: D
  /** There is something to keep. */
  dirty: boolean
  /** Shows what was left over, and what it was written over. */
  take: (draft: D, revision: number) => void
  /** Shows again what is saved. */
  reset: () => void
}

export type Unsaved = ReturnType<typeof useUnsaved>

export function useUnsaved<D>(o: Options<D>) {
  const [keeper] = useState(() => new Keeper<D>(o.kind, o.id))
  const [view, setView] = useState<View<D>>(keeper.view)
  const take = useEffectEvent(o.take)
  useEffect(() => {
    const back = () => void keeper.sync()
    keeper.enter(setView, (left) => take(left.draft, left.revision))
    window.addEventListener('online', back)
    return () => {
      window.removeEventListener('online', back)
      keeper.leave()
    }
  }, [keeper])
  const text = o.dirty ? textOf({ revision: o.revision, draft: o.now }) : ''
  useEffect(() => keeper.write(text), [keeper, text, view.shown])
  return {
    /** When what is shown was written, if it was left over from the last time. */
    found: o.dirty ? view.found : '',
    keeping: o.dirty ? view.keeping : 'none',
    keptAt: view.keptAt,
    /** Colleagues who have a draft of the same thing. */
    others: view.others,
    /** Another draft of one's own, from another browser; `at` is when it was written. */
    offer: view.offer && {
      at: view.offer.at,
      take: () => keeper.decide(true),
      refuse: () => keeper.decide(false),
    },
    /** What was left over is what the reader goes on with. */
    goOn: () => keeper.tell({ found: '' }),
    /** The reader does not want it. */
    discard: () => {
      keeper.drop()
      o.reset()
    },
    /** Lets go of it: it was saved. What is written from now on is kept. */
    drop: useCallback(() => keeper.drop(), [keeper]),
    /** The page is about to be left with everything saved. */
    end: useCallback(() => keeper.end(), [keeper]),
  }
}

interface Left<D> {
  revision: number
  draft: D
  /** When it was written, as an instant. */
  at: string
  /** The draft on the server that this one goes on from; absent if there was none. */
  seen?: string
  /** The server has it all. */
  synced?: boolean
}

interface View<D> {
  found: string
  keeping: Keeping
  keptAt: string
  others: Schemas['DraftHolder'][]
  offer: Left<D> | null
  /** How often something that was left over was shown. */
  shown: number
}

const placeOf = (kind: Kind, id: string | undefined) => (id ? `unsaved.${kind}.${id}` : '')

/** Has what was written of one thing found by the editor of another: of what has come to be while one wrote on. */
export function leave<D>(kind: Kind, id: string, left: { revision: number; draft: D }) {
  try {
    localStorage.setItem(placeOf(kind, id), JSON.stringify({ ...left, at: new Date().toISOString() } satisfies Left<D>))
  } catch {
    // Full: what was saved stands.
  }
}

const textOf = (x: { revision: number; draft: unknown }) => JSON.stringify({ revision: x.revision, draft: x.draft })

/** What is on its way about a draft, by its place: an editor that was left may still be telling the server what became of it when the next one asks. */
const turns = new Map<string, Promise<void>>()

/** Keeps one draft in this browser and on the server, one request at a time. */
class Keeper<D> {
  view: View<D> = { found: '', keeping: 'none', keptAt: '', others: [], offer: null, shown: 0 }
  private look: (v: View<D>) => void = () => {}
  private take: (left: Left<D>) => void = () => {}
  private asked = false // the server has said what it has
  private begun = false // what was left over in this browser is shown or refused, so that its place is free
  private there = false // the server has a draft
  private seen: string | undefined // when that one was written
  private want = '' // what is to be kept
  private sent = '' // what the server has of it
  private over = false // nothing is kept any more
  private gone = false // the page is left
  private busy = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly place: string
  private readonly path: { kind: Kind; thing: string }

  constructor(kind: Kind, id: string | undefined) {
    this.place = placeOf(kind, id)
    this.path = { kind, thing: id ?? '' }
  }

  tell(change: Partial<View<D>>) {
    this.view = { ...this.view, ...change }
    this.look(this.view)
  }

  enter(look: (v: View<D>) => void, take: (left: Left<D>) => void) {
    this.look = look
    this.take = take
    this.gone = false
    void this.sync()
  }

  /** The page is left: what was written in the last moment goes too. */
  leave() {
    this.gone = true
    clearTimeout(this.timer)
    if (this.want !== this.sent) void this.sync()
  }

  /** What is written now; empty if it is what is saved. */
  write(text: string) {
    if (!this.place || this.over || this.want === text) return
    this.want = text
    if (text) this.lay({ ...(JSON.parse(text) as Left<D>), at: new Date().toISOString(), seen: this.seen, synced: text === this.sent })
    else if (this.begun) localStorage.removeItem(this.place)
    clearTimeout(this.timer)
    if (text === this.sent) return this.tell({ keeping: text ? 'kept' : 'none' })
    if (text && this.view.keeping !== 'offline' && this.view.keeping !== 'here') this.tell({ keeping: 'saving' })
    this.timer = setTimeout(() => void this.sync(), pause)
  }

  drop() {
    if (!this.place) return
    localStorage.removeItem(this.place)
    this.want = ''
    this.tell({ found: '' })
    void this.sync()
  }

  end() {
    this.over = true
    this.drop()
  }

  /** Whether the other draft of one's own is taken instead of this one. */
  decide(taken: boolean) {
    const { offer } = this.view
    this.tell({ offer: null })
    if (offer && taken) this.show(offer)
    void this.sync()
  }

  async sync() {
    clearTimeout(this.timer)
    if (!this.place || this.busy) return
    this.busy = true
    const turn = (turns.get(this.place) ?? Promise.resolve()).then(() => this.exchange())
    turns.set(this.place, turn)
    await turn
    if (turns.get(this.place) === turn) turns.delete(this.place)
  }

  private async exchange() {
    const path = this.path
    let sending: string | undefined
    try {
      if (!this.asked) {
        const { draft, others } = await call('get', '/api/v1/drafts/{kind}/{thing}', { path })
        this.asked = true
        this.there = draft !== undefined
        this.tell({ others: others ?? [] })
        const left = draft && {
          revision: draft.base,
          draft: draft.document as D,
          at: draft.updated_at,
          seen: draft.updated_at,
          synced: true,
        }
        if (!this.over) this.arrived(left ?? null)
      }
      while (this.want !== this.sent && !this.view.offer) {
        const want = (sending = this.want)
        if (want) {
          this.tell({ keeping: 'saving' })
          const body = JSON.parse(want) as Left<D>
          const state = await call('put', '/api/v1/drafts/{kind}/{thing}', { path, body: { base: body.revision, document: body.draft } })
          this.there = true
          this.seen = state.draft?.updated_at ?? ''
          this.tell({ others: state.others ?? [], keptAt: this.seen })
          if (this.want === want) this.lay({ ...body, at: this.seen, seen: this.seen, synced: true })
        } else if (this.there) {
          await call('delete', '/api/v1/drafts/{kind}/{thing}', { path })
          this.there = false
          this.seen = undefined
        }
        this.sent = want
      }
      this.tell({ keeping: !this.want ? 'none' : this.view.offer ? 'here' : 'kept' })
    } catch (err) {
      const unreachable = !(err instanceof Problem) || err.status === 0 || err.status >= 500
      if (!this.asked) this.arrived(undefined)
      this.tell({ keeping: !this.want ? 'none' : unreachable ? 'offline' : 'here' })
      if (unreachable && !this.over && !this.gone) this.timer = setTimeout(() => void this.sync(), again)
      // What was written meanwhile may be taken.
      else if (!unreachable && sending !== undefined && sending !== this.want) this.timer = setTimeout(() => void this.sync(), pause)
    } finally {
      this.busy = false
    }
  }

  /** Decides what is shown of what was left over: in this browser, and on the server (null: nothing; undefined: it could not be asked). */
  private arrived(there: Left<D> | null | undefined) {
    const here = this.begun ? undefined : this.left()
    this.begun = true
    if (here) this.seen = here.seen
    const seen = this.seen
    if (there) this.seen = there.seen
    const news = there && there.seen !== seen ? there : null
    const own = here && !here.synced ? here : null
    if (this.want) {
      // Something is being written already: it stays, and what was left over elsewhere is offered.
      const other = news ?? own
      if (other && textOf(other) !== this.want) this.tell({ offer: other })
    } else if (own) {
      if (news) this.tell({ offer: news })
      this.show(own)
    } else if (there) this.show(there)
    else if (here && there === undefined) this.show(here)
    else if (here) localStorage.removeItem(this.place) // it was saved or discarded on another device
  }

  private show(left: Left<D>) {
    this.want = textOf(left)
    if (left.synced) this.sent = this.want
    this.lay(left)
    this.tell({
      found: left.at,
      shown: this.view.shown + 1,
      ...(left.synced ? { keeping: 'kept', keptAt: left.at } : { keeping: 'saving' }),
    })
    this.take(left)
  }

  private lay(left: Left<D>) {
    if (this.over) return
    try {
      localStorage.setItem(this.place, JSON.stringify(left))
    } catch {
      // Full: the server has it in a moment.
    }
  }

  private left(): Left<D> | undefined {
    try {
      return JSON.parse(localStorage.getItem(this.place) ?? 'null') ?? undefined
    } catch {
      return undefined
    }
  }
}
