import { Redo2, Undo2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import { becomes, call, Problem, type Schemas, useRead, useSend } from '@/api'
import { ClashNotice } from '@/app/ClashNotice'
import { DraftNotice, draftState } from '@/app/Unsaved'
import { useCan } from '@/app/session'
import { formatLanguage, formatList, formatNumber, useT, word } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useClash } from '@/lib/clash'
import { useUrlState } from '@/lib/route'
import { useUnsaved } from '@/lib/unsaved'
import {
  Alert,
  type Acts,
  Button,
  EditorPage,
  Group,
  IconButton,
  LoadingState,
  Pending,
  SegmentedControl,
  Stack,
  Status,
  Textarea,
  TextInput,
  toast,
  toastError,
  toastUndo,
  useAtOnce,
  useMediaQuery,
} from '@/ui'
import { BlockForm, FrameForm, SectionForm } from './BlockForm'
import { mayArchive } from './mayArchive'
import css from './content.module.css'
import {
  blocksOf,
  duplicateBlock,
  duplicateSection,
  excerpt,
  findBlock,
  findSection,
  idAt,
  insertBlock,
  insertSection,
  type MailDocument,
  moveBlock,
  moveBlockTo,
  moveSection,
  removeBlock,
  removeSection,
  setColumns,
  updateBlock,
  updateSection,
} from './document'
import { differencesOf } from './compare'
import { documentOf, draftOf, type Draft, isBlocks, sameDraft, withWords, wordsOf } from './draft'
import { type Finding, Findings, marks, sayHere } from './Findings'
import { LinkCheck } from './LinkCheck'
import { LinesForm } from './Heading'
import { useHistory } from './history'
import { kindsOf, newBlock, useSchema } from './kinds'
import { LanguageBar, sameText } from './Languages'
import { LiquidInput } from './LiquidInput'
import { Outline, Palette } from './Outline'
import { Preview, PreviewBar, type Reader, useLetter, type View } from './Preview'
import { PurposeForm } from './PurposeForm'
import { useEvents, useTraits, type Values, variablesOf } from './variables'
import { Versions } from './Versions'

type Template = Schemas['Template']
type Panel = 'selection' | 'mail' | 'purpose' | 'checks'

const nothing: Values = {}

/** One mail: blocks at the left, the mail as it is sent in the middle, what is chosen at the right. */
export function TemplateEditor({ template }: { template: Template }) {
  const t = useT()
  const can = useCan()
  const write = can('content.write')
  // What the edit began with; another version on the server means that somebody else has saved meanwhile.
  const [base, setBase] = useState(template)
  const history = useHistory<Draft>(draftOf(template))
  const draft = history.now
  const dirty = !sameDraft(draft, draftOf(base))
  const [at, setAt] = useState(0) // which language
  const [selected, setSelected] = useState('')
  // Too narrow for three columns: the list of blocks stands above the inputs of the chosen one.
  const narrow = useMediaQuery('(max-width: 1040px)', false, { getInitialValueInEffect: false })
  const [panel, setPanel] = useState<Panel>('mail')
  const [view, setView] = useState<View>('desktop')
  const [versions, showHistory] = useState(false)
  const [url, setUrl] = useUrlState({ person: '', event: '' })
  const reader: Reader = url
  const save = useSend('put', '/api/v1/templates/{id}', { refresh: ['/api/v1/templates'] })
  const live = { refresh: ['/api/v1/templates'] }
  const refreshDress = useSend('post', '/api/v1/templates/{id}/refresh', live)
  const now = (status: Template['status']) => ({ ...live, shows: () => [becomes('/api/v1/templates', template.id, { status })] })
  const archive = useAtOnce('delete', '/api/v1/templates/{id}', now('archived'))
  const restore = useAtOnce('post', '/api/v1/templates/{id}/restore', now('active'))
  const trial = useSend('post', '/api/v1/messages/test')
  const outdated = useRead('/api/v1/templates/{id}/outdated', { path: { id: template.id } })
  const schema = useSchema()
  const brand = useRead('/api/v1/brand', {})

  const all = wordsOf(draft)
  const words = all[at] ?? all[0]!
  const doc = documentOf(words)
  const blocks = isBlocks(draft)
  // The readers of a language without a text: what they get is shown in its place.
  const [others, setOthers] = useState('')
  const reads = others && !all.some((w) => sameText(w.locale, others)) ? others : ''
  const { letter, findings, error, stale } = useLetter(draft, reader, reads || words.locale)

  const person = useRead('/api/v1/people/{id}', { path: { id: reader.person } }, { enabled: reader.person !== '' })
  const events = useEvents(reader.person)
  const values = useMemo<Values>(() => {
    if (!reader.person) return nothing
    const event = events.find((e) => e.name === reader.event) ?? undefined
    return { person: person.data?.traits, event: event?.properties }
  }, [reader, person.data, events])
  const traits = useTraits()
  const variables = useMemo(() => variablesOf(values, traits), [values, traits])

  // A save of somebody else: taken over at once if nothing was changed here, else offered.
  const moved = template.version > base.version
  if (moved && !dirty && !save.isPending) {
    setBase(template)
    history.restart(draftOf(template))
  }

  const unsaved = useUnsaved<Draft>({
    kind: 'template',
    id: write ? template.id : undefined,
    revision: base.version,
    now: draft,
    dirty,
    take: (left, revision) => {
      // Over what it was written, so that saving it asks if somebody was faster.
      setBase((b) => ({ ...b, version: Math.min(revision, b.version) }))
      history.change(() => left)
    },
    reset: () => {
      setBase(template)
      history.restart(draftOf(template))
    },
  })
  const clash = useClash('content.template.stale', () => call('get', '/api/v1/templates/{id}', { path: { id: base.id } }))

  const setDraft = (patch: Partial<Draft>, field: string) => history.change((d) => ({ ...d, ...patch }), field)
  const setWords = (patch: Parameters<typeof withWords>[2], field: string) =>
    history.change((d) => withWords(d, at, patch), `${at}.${field}`)
  const setDoc = (change: (d: MailDocument) => MailDocument, field = '') =>
    history.change((d) => withWords(d, at, { document: change(documentOf(wordsOf(d)[at])) }), field && `${at}.${field}`)

  const send = async (version: number) => {
    const sent = draft
    try {
      const saved = await clash.watch(() => save.mutateAsync({ path: { id: base.id }, body: { ...sent, base: version } }))
      setBase(saved)
      unsaved.drop()
      if (sameDraft(history.now, sent)) toast(t('content.saved', { n: formatNumber(saved.version) }))
    } catch (err) {
      if (err instanceof Problem && err.code === 'content.template.stale') return
      setPanel('checks')
      toastError(err)
    }
  }
  const sendTrial = () =>
    trial.mutate(
      {
        body: {
          template: base.id,
          person: reader.person || undefined,
          locale: reads || words.locale || undefined, // the language that is looked at
          vars: values.event ? { event: values.event } : undefined,
        },
      },
      {
        onSuccess: (r) =>
          r.result === 'sent' ? toast(t('content.trial_sent')) : toastError(new Problem(502, { code: 'content.trial', detail: r.detail })),
        onError: toastError,
      },
    )
  const takeTheirs = (theirs: Template) => {
    unsaved.drop()
    setBase(theirs)
    history.restart(draftOf(theirs))
    clash.clear()
  }
  useShortcuts([
    { keys: 'mod+s', label: t('action.save'), run: () => void (write && dirty && !save.isPending && send(base.version)), inFields: true },
    { keys: 'mod+z', label: t('action.undo'), run: history.undo, inFields: '[data-rich]' },
    { keys: 'mod+y', also: ['mod+shift+z'], label: t('content.redo'), run: history.redo, inFields: '[data-rich]' },
  ])

  const choose = (id: string) => {
    setSelected(id)
    setPanel('selection')
  }
  const isSection = (id: string) => findSection(doc, id) !== undefined
  const below = () => {
    const found = findBlock(doc, selected)
    if (found) return { ...found.at, index: found.at.index + 1 }
    const s = findSection(doc, selected)
    return s ? { section: s.id, column: 0, index: s.columns[0]?.blocks.length ?? 0 } : undefined
  }
  const actions = {
    select: choose,
    move: (id: string, step: -1 | 1) => setDoc((d) => (isSection(id) ? moveSection(d, id, step) : moveBlock(d, id, step))),
    moveTo: (id: string, to: Parameters<typeof moveBlockTo>[2]) => setDoc((d) => moveBlockTo(d, id, to)),
    insert: (kind: string, place?: Parameters<typeof insertBlock>[2]) => {
      const made = insertBlock(doc, newBlock(kind), place)
      setDoc(() => made.doc)
      choose(made.id)
    },
    duplicate: (id: string) => {
      const made = isSection(id) ? duplicateSection(doc, id) : duplicateBlock(doc, id)
      setDoc(() => made.doc)
      choose(made.id)
    },
    remove: (id: string) => {
      const order = blocksOf(doc).map((x) => x.block.id)
      const next = order[order.indexOf(id) + 1] ?? order[order.indexOf(id) - 1] ?? ''
      setDoc((d) => (isSection(id) ? removeSection(d, id) : removeBlock(d, id)))
      setSelected(isSection(id) ? '' : next)
    },
    addSection: () => {
      const made = insertSection(doc, 1, isSection(selected) ? selected : findBlock(doc, selected)?.at.section)
      setDoc(() => made.doc)
      choose(made.id)
    },
  }

  // Where a finding is about, in the language that is shown.
  const here = (f: Finding) => {
    const [, n] = /^translations\[(\d+)\]/.exec(f.field) ?? []
    if (n !== undefined) return Number(n) + 1
    const i = f.locale ? all.findIndex((w) => w.locale === f.locale) : 0
    return i < 0 ? 0 : i
  }
  const blockOf = (f: Finding) => f.block || idAt(documentOf(all[here(f)]), f.field)
  const mine = findings.filter((f) => here(f) === at)
  const faulty = new Set(mine.filter((f) => f.error).map((f) => blockOf(f) ?? ''))
  const faultAt = (id: string, name: string) =>
    mine.find((x) => marks(x) && blockOf(x) === id && x.field.replace(/\[(\d+)\]/g, '.$1').endsWith(`.${name}`))
  const errorAt = (name: string) => {
    const f = faultAt(selected, name)
    return f ? sayHere(f) : undefined
  }
  const placeAt = (name: string) => {
    const f = faultAt(selected, name)
    return f?.line && f.col ? { line: f.line, col: f.col } : undefined
  }
  const errorOf = (name: string) => {
    const f = mine.find((x) => marks(x) && x.field.split('.').at(-1) === name && !x.field.includes('document'))
    return f ? sayHere(f) : undefined
  }
  const open = (f: Finding) => {
    setAt(here(f))
    const id = blockOf(f)
    if (id) return choose(id)
    const panelOf =
      f.field.startsWith('purpose') || f.field === 'value_proposition'
        ? 'purpose'
        : f.field === 'brand' || f.field === 'translations'
          ? 'checks'
          : 'mail'
    setPanel(panelOf)
    requestAnimationFrame(() =>
      document
        .getElementsByName(
          f.field
            .split('.')
            .slice(f.field.startsWith('purpose') ? 0 : -1)
            .join('.'),
        )[0]
        ?.focus(),
    )
  }

  const putAway = async () => {
    const path = { id: base.id }
    if (!(await mayArchive(base.id, base.name))) return
    if (await archive({ path })) toastUndo(t('content.archived'), () => void restore({ path }))
  }
  const more: Acts = [
    { label: t('content.versions'), run: () => showHistory(true), rare: true },
    can('campaigns.send') && {
      label: t(dirty ? 'content.trial_save_first' : 'content.trial'),
      disabled: dirty || trial.isPending,
      run: sendTrial,
      rare: true,
    },
    write && template.status === 'active' && { label: t('action.archive'), run: () => void putAway(), rare: true },
    write &&
      template.status === 'archived' && { label: t('action.restore'), run: () => void restore({ path: { id: base.id } }), rare: true },
  ]
  const original = at > 0 ? findBlock(documentOf(all[0]), selected)?.block : undefined
  const block = findBlock(doc, selected)?.block
  const section = findSection(doc, selected)
  const common = schema.data
    ? {
        schema: schema.data,
        variables,
        errorAt,
        placeAt,
        palette: brand.data?.brand.light as unknown as Record<string, string> | undefined,
      }
    : undefined
  const errors = findings.filter((f) => f.error).length
  const state = save.isPending
    ? t('content.saving')
    : dirty
      ? draftState(unsaved) || t('content.unsaved')
      : t('content.version', { n: formatNumber(base.version) })

  const side =
    blocks && schema.data ? (
      <div className={css.side}>
        <h2>{t('page.palette')}</h2>
        <Palette kinds={kindsOf(schema.data)} onAdd={(k) => actions.insert(k, below())} />
        <h2>{t('content.outline')}</h2>
        <Outline document={doc} selected={selected} faulty={faulty} actions={actions} />
      </div>
    ) : schema.isLoading ? (
      <Pending />
    ) : null
  return (
    <EditorPage
      title={draft.name || t('content.untitled')}
      back={{ to: '/content', label: t('nav.content') }}
      saved={state}
      status={template.status === 'archived' ? <Status value="archived" /> : null}
      more={more}
      actions={
        write ? (
          <>
            <IconButton label={t('action.undo')} disabled={!history.canUndo} onClick={history.undo}>
              <Undo2 size={17} />
            </IconButton>
            <IconButton label={t('content.redo')} disabled={!history.canRedo} onClick={history.redo}>
              <Redo2 size={17} />
            </IconButton>
            <Button variant="filled" disabled={!dirty} loading={save.isPending} onClick={() => void send(base.version)}>
              {t('action.save')}
            </Button>
          </>
        ) : null
      }
      problems={
        clash.found ? (
          <ClashNotice
            of={clash.found}
            differences={differencesOf(draftOf(clash.found.theirs), draft)}
            onTheirs={takeTheirs}
            onMine={(theirs) => void send(theirs.version)}
          />
        ) : moved && dirty ? (
          <Group gap="sm">
            {t('content.changed_meanwhile', { n: formatNumber(template.version) })}
            <Button size="compact-sm" onClick={() => void send(base.version)}>
              {t('content.compare_both')}
            </Button>
          </Group>
        ) : unsaved.found || unsaved.offer || unsaved.others.length > 0 ? (
          <DraftNotice of={unsaved} bare />
        ) : outdated.data && outdated.data.items.length > 0 ? (
          <Group gap="sm">
            {t('content.outdated_of', { what: formatList(outdated.data.items.map((x) => (x === 'brand' ? t('brand.title') : x))) })}
            {write ? (
              <Button
                size="compact-sm"
                disabled={dirty}
                loading={refreshDress.isPending}
                onClick={() =>
                  refreshDress.mutate({ path: { id: base.id } }, { onSuccess: () => toast(t('content.refreshed')), onError: toastError })
                }
              >
                {t(dirty ? 'content.refresh_by_saving' : 'content.refresh')}
              </Button>
            ) : null}
          </Group>
        ) : null
      }
      palette={narrow ? null : side}
      inspector={
        <Stack gap="md">
          <SegmentedControl
            fullWidth
            size="xs"
            aria-label={t('page.inspector')}
            value={panel}
            onChange={(v) => setPanel(v as Panel)}
            data={[
              ...(blocks
                ? [
                    {
                      value: 'selection',
                      label: block ? word('block.kind', block.type) : section ? t('content.section_name') : t('content.block'),
                    },
                  ]
                : []),
              { value: 'mail', label: t('content.panel_mail') },
              { value: 'purpose', label: t('content.panel_purpose') },
              { value: 'checks', label: errors > 0 ? `${t('content.panel_checks')} · ${formatNumber(errors)}` : t('content.panel_checks') },
            ]}
          />
          {panel === 'selection' && narrow ? side : null}
          {panel === 'selection' && original && excerpt(original) ? (
            <blockquote className={css.original}>
              <small>{formatLanguage(all[0]?.locale || 'en')}</small>
              {excerpt(original)}
            </blockquote>
          ) : null}
          {panel === 'selection' && blocks ? (
            common && block ? (
              <BlockForm
                key={`${at}.${block.id}`}
                {...common}
                block={block}
                values={values}
                onChange={(next, field) => setDoc((d) => updateBlock(d, block.id, () => next), `${block.id}.${field}`)}
              />
            ) : common && section ? (
              <SectionForm
                key={`${at}.${section.id}`}
                {...common}
                section={section}
                onColumns={(n) => setDoc((d) => setColumns(d, section.id, n))}
                onChange={(next, field) => setDoc((d) => updateSection(d, section.id, () => next), `${section.id}.${field}`)}
              />
            ) : common ? (
              <p className={css.hint}>{t('content.choose_block')}</p>
            ) : (
              <LoadingState rows={6} />
            )
          ) : null}
          {panel === 'mail' ? (
            <Stack gap="md">
              <TextInput
                name="name"
                label={t('field.name')}
                required
                maxLength={200}
                error={errorOf('name')}
                value={draft.name}
                onChange={(e) => setDraft({ name: e.currentTarget.value }, 'name')}
              />
              <TextInput
                name="from_name"
                label={t('content.from_name')}
                description={t('content.from_name_help')}
                value={draft.from_name ?? ''}
                onChange={(e) => setDraft({ from_name: e.currentTarget.value }, 'from_name')}
              />
              <TextInput
                name="reply_to"
                type="email"
                label={t('content.reply_to')}
                description={t('content.reply_to_help')}
                error={errorOf('reply_to')}
                value={draft.reply_to ?? ''}
                onChange={(e) => setDraft({ reply_to: e.currentTarget.value }, 'reply_to')}
              />
              {blocks ? <FrameForm document={doc} onChange={(next) => setDoc(() => next, 'frame')} /> : null}
            </Stack>
          ) : null}
          {panel === 'purpose' ? <PurposeForm draft={draft} onChange={setDraft} /> : null}
          {panel === 'checks' ? (
            <>
              <Findings findings={findings} onOpen={open} />
              <LinkCheck
                body={{
                  draft,
                  locale: words.locale || undefined,
                  person: reader.person || undefined,
                  event: (reader.person && reader.event) || undefined,
                }}
              />
            </>
          ) : null}
        </Stack>
      }
    >
      <div className={css.desk}>
        <LanguageBar
          draft={draft}
          at={at}
          reads={reads}
          onAt={(i) => {
            setAt(i)
            setOthers('')
          }}
          onReads={setOthers}
          onChange={(next) => history.change(next)}
          wanted={brand.data?.brand.locales ?? []}
        />
        <LinesForm
          words={words}
          original={at > 0 ? all[0] : undefined}
          variables={variables}
          errors={{ subject: errorOf('subject'), preheader: errorOf('preheader') }}
          onChange={(name, v) => setWords({ [name]: v }, name)}
        />
        {blocks ? null : (
          <>
            <LiquidInput
              name="html"
              label={t('content.html')}
              lines
              mono
              value={words.html}
              variables={variables}
              error={errorOf('html')}
              onChange={(html) => setWords({ html }, 'html')}
            />
            <Textarea
              name="text"
              label={t('content.text')}
              description={t('content.text_help')}
              autosize
              minRows={3}
              maxRows={12}
              value={words.text}
              onChange={(e) => setWords({ text: e.currentTarget.value }, 'text')}
            />
          </>
        )}
        <PreviewBar reader={reader} events={events.map((e) => e.name)} view={view} onReader={(r) => setUrl({ ...r })} onView={setView} />
        {reads && letter?.locale && !sameText(letter.locale, reads) ? (
          <Alert color="warning">{t('content.fallback', { wanted: formatLanguage(reads), language: formatLanguage(letter.locale) })}</Alert>
        ) : null}
        {error ? (
          <Alert color="danger">{error instanceof Problem ? error.message : t('error.internal')}</Alert>
        ) : (
          <Preview letter={letter} view={view} stale={stale} from={draft.from_name || brand.data?.brand.name || ''} />
        )}
        {versions ? <Versions template={template} write={write} dirty={dirty} onClose={() => showHistory(false)} /> : null}
      </div>
    </EditorPage>
  )
}
