import { History, Redo2, Undo2 } from 'lucide-react'
import { useMemo, useState } from 'react'
import { call, Problem, type Schemas, useRead, useSend } from '@/api'
import { ClashNotice } from '@/app/ClashNotice'
import { DraftNotice, draftState } from '@/app/Unsaved'
import { useCan } from '@/app/session'
import { formatNumber, useT } from '@/i18n'
import { useClash } from '@/lib/clash'
import { useShortcuts } from '@/lib/keys'
import { useGo, useParam, useUrlState } from '@/lib/route'
import { useUnsaved } from '@/lib/unsaved'
import {
  Alert,
  Button,
  Card,
  EditorPage,
  EmptyState,
  IconButton,
  Link,
  Loaded,
  LoadingState,
  Pending,
  Stack,
  Status,
  Textarea,
  TextInput,
  toast,
  toastError,
  toastUndo,
  useMediaQuery,
} from '@/ui'
import { BlockForm } from './BlockForm'
import css from './content.module.css'
import {
  type Block,
  duplicateBlock,
  findBlock,
  idAt,
  insertBlock,
  type MailDocument,
  moveBlock,
  moveBlockTo,
  removeBlock,
  updateBlock,
} from './document'
import { differencesOf } from './compare'
import { type Draft, sameDraft, withWords, wordsOf } from './draft'
import { sayHere } from './Findings'
import { useHistory } from './history'
import { kindsOf, newBlock, useSchema } from './kinds'

import { LanguageBar } from './Languages'
import { Outline, Palette } from './Outline'
import { Preview, PreviewBar, useLetter, type View } from './Preview'
import { SnippetVersions } from './SnippetVersions'
import { useEvents, useTraits, type Values, variablesOf } from './variables'

type Snippet = Schemas['Snippet']

export default function SnippetEditPage() {
  const snippet = useRead('/api/v1/snippets/{key}', { path: { key: useParam('key') } })
  const brand = useRead('/api/v1/brand', {}) // the editor's bar names its languages: known before, it does not move
  return <Loaded of={snippet}>{(s) => (brand.isLoading ? <LoadingState /> : <Editor key={s.key} snippet={s} />)}</Loaded>
}

// A snippet is edited as a mail of one column, so that everything about blocks and languages is the same here.
const wrapped = (blocks: unknown): MailDocument => ({
  version: 1,
  header: 'none',
  footer: 'short',
  sections: [{ id: 'snippet', columns: [{ blocks: blocks as Block[] }] }],
})
const unwrapped = (d: MailDocument | undefined) => (d?.sections[0]?.columns[0]?.blocks ?? []) as unknown as Schemas['Snippet']['blocks']

interface State {
  mail: Draft
  description: string
}

const stateOf = (s: Snippet): State => ({
  description: s.description ?? '',
  mail: {
    name: s.name,
    subject: s.name,
    kind: 'blocks',
    locale: s.locale,
    document: wrapped(s.blocks) as unknown as Draft['document'],
    translations: (s.translations ?? []).map((x) => ({
      locale: x.locale,
      subject: s.name,
      document: wrapped(x.blocks) as unknown as Draft['document'],
    })),
  },
})

// Without what the mail around it is only there for.
const plain = ({ mail, description }: State) => ({
  name: mail.name,
  description,
  locale: mail.locale,
  blocks: unwrapped(wordsOf(mail)[0]!.document),
  translations: wordsOf(mail)
    .slice(1)
    .map((w) => ({ locale: w.locale, blocks: unwrapped(w.document) })),
})

function Editor({ snippet }: { snippet: Snippet }) {
  const t = useT()
  const go = useGo()
  const write = useCan()('content.write')
  const [base, setBase] = useState(snippet)
  const history = useHistory(stateOf(snippet))
  const { mail, description } = history.now
  const [at, setAt] = useState(0)
  const [selected, setSelected] = useState('')
  const [past, setPast] = useState(false)
  // Too narrow for three columns: the list of blocks stands above the inputs of the chosen one.
  const narrow = useMediaQuery('(max-width: 1040px)', false, { getInitialValueInEffect: false })
  const [view, setView] = useState<View>('desktop')
  const [reader, setReader] = useUrlState({ person: '', event: '' })
  const schema = useSchema()
  const brand = useRead('/api/v1/brand', {})
  const users = useRead('/api/v1/snippets/{key}/users', { path: { key: base.key } })
  const live = { refresh: ['/api/v1/snippets', '/api/v1/templates'] }
  const put = useSend('put', '/api/v1/snippets/{key}', live)
  const archive = useSend('delete', '/api/v1/snippets/{key}', live)
  const restore = useSend('post', '/api/v1/snippets/{key}/restore', live)
  const all = wordsOf(mail)
  const words = all[at] ?? all[0]!
  const doc = words.document!
  const before = stateOf(base)
  const dirty = description !== before.description || !sameDraft(mail, before.mail)
  const { letter, findings, error, stale } = useLetter(mail, reader, words.locale)
  const person = useRead('/api/v1/people/{id}', { path: { id: reader.person } }, { enabled: reader.person !== '' })
  const events = useEvents(reader.person)
  const values = useMemo<Values>(
    () => (reader.person ? { person: person.data?.traits, event: events.find((e) => e.name === reader.event)?.properties } : {}),
    [reader, person.data, events],
  )
  const traits = useTraits()
  const variables = useMemo(() => variablesOf(values, traits), [values, traits])
  const setMail = (change: (d: Draft) => Draft, field = '') => history.change((s) => ({ ...s, mail: change(s.mail) }), field)
  const setDoc = (change: (d: MailDocument) => MailDocument, field = '') =>
    setMail((d) => withWords(d, at, { document: change(wordsOf(d)[at]!.document!) }), field && `${at}.${field}`)
  const unsaved = useUnsaved<State>({
    kind: 'snippet',
    id: write ? base.key : undefined,
    revision: base.version,
    now: history.now,
    dirty,
    take: (left, revision) => {
      // Over what it was written, so that saving it asks if somebody was faster.
      setBase((b) => ({ ...b, version: Math.min(revision, b.version) }))
      history.change(() => left)
    },
    reset: () => {
      setBase(snippet)
      history.restart(stateOf(snippet))
    },
  })
  const clash = useClash('content.snippet.stale', () => call('get', '/api/v1/snippets/{key}', { path: { key: base.key } }))
  const takeTheirs = (theirs: Snippet) => {
    unsaved.drop()
    setBase(theirs)
    history.restart(stateOf(theirs))
    clash.clear()
  }
  const save = async (version: number) => {
    try {
      const saved = await clash.watch(() =>
        put.mutateAsync({
          path: { key: base.key },
          body: {
            name: mail.name,
            description,
            locale: mail.locale,
            blocks: unwrapped(all[0]!.document),
            translations: all.slice(1).map((w) => ({ locale: w.locale, blocks: unwrapped(w.document) })),
            base: version,
          },
        }),
      )
      setBase(saved)
      unsaved.drop()
      toast(t('content.saved', { n: formatNumber(saved.version) }))
    } catch (err) {
      if (err instanceof Problem && err.code === 'content.snippet.stale') return
      toastError(err)
    }
  }
  const putAway = () =>
    archive.mutate(
      { path: { key: base.key } },
      {
        onSuccess: () => {
          go('/content/snippets')
          toastUndo(t('snippets.archived', { name: base.name }), () => restore.mutate({ path: { key: base.key } }, { onError: toastError }))
        },
        onError: toastError,
      },
    )
  const actions = {
    select: setSelected,
    move: (id: string, step: -1 | 1) => setDoc((d) => moveBlock(d, id, step)),
    moveTo: (id: string, to: Parameters<typeof moveBlockTo>[2]) => setDoc((d) => moveBlockTo(d, id, to)),
    insert: (kind: string, place?: Parameters<typeof insertBlock>[2]) => {
      const made = insertBlock(doc, newBlock(kind), place)
      setDoc(() => made.doc)
      setSelected(made.id)
    },
    duplicate: (id: string) => {
      const made = duplicateBlock(doc, id)
      setDoc(() => made.doc)
      setSelected(made.id)
    },
    remove: (id: string) => setDoc((d) => removeBlock(d, id)),
    addSection: () => undefined,
  }
  useShortcuts([
    { keys: 'mod+z', label: t('action.undo'), run: history.undo, inFields: '[data-rich]' },
    { keys: 'mod+y', also: ['mod+shift+z'], label: t('content.redo'), run: history.redo, inFields: '[data-rich]' },
  ])
  const wrong = findings.filter((f) => f.error && !f.field.startsWith('subject'))
  const block = findBlock(doc, selected)
  const side = schema.data ? (
    <div className={css.side}>
      <h2>{t('page.palette')}</h2>
      <Palette
        kinds={kindsOf(schema.data)}
        onAdd={(k) => actions.insert(k, block ? { ...block.at, index: block.at.index + 1 } : undefined)}
      />
      <h2>{t('content.outline')}</h2>
      <Outline
        flat
        document={doc}
        selected={selected}
        faulty={new Set(wrong.map((f) => f.block || idAt(doc, f.field) || ''))}
        actions={actions}
      />
    </div>
  ) : schema.isLoading ? (
    <Pending />
  ) : null
  return (
    <EditorPage
      title={mail.name}
      back={{ to: '/content/snippets', label: t('snippets.title') }}
      saved={dirty ? draftState(unsaved) || t('content.unsaved') : t('content.version', { n: formatNumber(base.version) })}
      status={snippet.status === 'archived' ? <Status value="archived" /> : null}
      more={
        write
          ? [
              { label: t('content.versions'), icon: <History size={16} />, run: () => setPast(true) },
              snippet.status === 'archived'
                ? { label: t('action.restore'), run: () => restore.mutate({ path: { key: base.key } }, { onError: toastError }) }
                : (users.data?.items.length ?? 0) === 0 && { label: t('action.archive'), disabled: !users.data, run: putAway },
            ]
          : []
      }
      actions={
        write ? (
          <>
            <IconButton label={t('action.undo')} disabled={!history.canUndo} onClick={history.undo}>
              <Undo2 size={17} />
            </IconButton>
            <IconButton label={t('content.redo')} disabled={!history.canRedo} onClick={history.redo}>
              <Redo2 size={17} />
            </IconButton>
            <Button variant="filled" disabled={!dirty} loading={put.isPending} onClick={() => void save(base.version)}>
              {t('action.save')}
            </Button>
          </>
        ) : null
      }
      problems={
        clash.found ? (
          <ClashNotice
            of={clash.found}
            differences={differencesOf(plain(stateOf(clash.found.theirs)), plain(history.now))}
            onTheirs={takeTheirs}
            onMine={(theirs) => void save(theirs.version)}
          />
        ) : snippet.version > base.version ? (
          t('content.changed_meanwhile', { n: formatNumber(snippet.version) })
        ) : unsaved.found || unsaved.offer || unsaved.others.length > 0 ? (
          <DraftNotice of={unsaved} />
        ) : null
      }
      palette={narrow ? null : side}
      inspector={
        <Stack gap="md">
          {narrow ? side : null}
          {block && schema.data ? (
            <Card title={t('content.block')}>
              <BlockForm
                key={`${at}.${selected}`}
                schema={schema.data}
                variables={variables}
                values={values}
                palette={brand.data?.brand.light as unknown as Record<string, string> | undefined}
                block={block.block}
                errorAt={(name) => {
                  const f = wrong.find(
                    (x) => (x.block || idAt(doc, x.field)) === selected && x.field.replace(/\[(\d+)\]/g, '.$1').endsWith(`.${name}`),
                  )
                  return f ? sayHere(f) : undefined
                }}
                onChange={(next, field) => setDoc((d) => updateBlock(d, selected, () => next), `${selected}.${field}`)}
              />
            </Card>
          ) : null}
          <Card title={t('snippets.one')}>
            <Stack gap="md">
              <TextInput
                label={t('field.name')}
                required
                maxLength={200}
                value={mail.name}
                onChange={(e) => {
                  const name = e.currentTarget.value
                  setMail((d) => ({ ...d, name }), 'name')
                }}
              />
              <Textarea
                label={t('field.description')}
                autosize
                minRows={2}
                value={description}
                onChange={(e) => {
                  const next = e.currentTarget.value
                  history.change((s) => ({ ...s, description: next }), 'description')
                }}
              />
            </Stack>
          </Card>
          <Card title={t('snippets.used_by')}>
            <Loaded of={users} rows={2}>
              {(u) =>
                u.items.length === 0 ? (
                  <EmptyState title={t('snippets.unused')} />
                ) : (
                  <ul className={css.plainList}>
                    {u.items.map((x) => (
                      <li key={`${x.noun}.${x.id}`}>
                        <Link to={x.noun === 'template' ? `/content/${x.id}` : `/content/snippets/${x.id}`}>{x.name}</Link>
                      </li>
                    ))}
                  </ul>
                )
              }
            </Loaded>
          </Card>
        </Stack>
      }
    >
      {past ? (
        <SnippetVersions
          snippet={snippet}
          onClose={() => setPast(false)}
          onTake={(v) => {
            history.change(() => stateOf(v))
            setAt(0)
            setSelected('')
            setPast(false)
            toast(t('snippets.taken', { n: formatNumber(v.version) }))
          }}
        />
      ) : null}
      <div className={css.desk}>
        <LanguageBar draft={mail} at={at} onAt={setAt} onChange={(next) => setMail(next)} wanted={brand.data?.brand.locales ?? []} />
        <PreviewBar reader={reader} events={events.map((e) => e.name)} view={view} onReader={(r) => setReader({ ...r })} onView={setView} />
        {error ? (
          <Alert color="danger">{error.message}</Alert>
        ) : (
          <Preview letter={letter} view={view} stale={stale} from={brand.data?.brand.name ?? ''} />
        )}
      </div>
    </EditorPage>
  )
}
