// People and events from a file: choose it, say what its columns are, see what would become of it, let it in.
import { Users } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { call, describe, refresh, type Schemas, upload, useRead } from '@/api'
import { useCan } from '@/app/session'
import { formatNumber, language, useT } from '@/i18n'
import { JobState } from '@/jobs/JobState'
import { useUrlState } from '@/lib/route'
import {
  Alert,
  Button,
  Card,
  confirm,
  EmptyState,
  FileInput,
  FormPage,
  Group,
  Link,
  LinkButton,
  Loaded,
  Note,
  Stack,
  Stepper,
  toastError,
  DangerButton,
} from '@/ui'
import { ImportCheck } from './ImportCheck'
import { ImportColumns } from './ImportColumns'
import { ImportRefused } from './ImportRefused'
import { ImportKept, type Kept } from './ImportKept'
import { type Choice, choicesOf, type Extras, extrasOf, type Layout, planOf, samePlan } from './importplan'

type Look = Schemas['ImportLook']

const steps = ['file', 'columns', 'check', 'run']
const here = Intl.DateTimeFormat().resolvedOptions().timeZone
const blank: Extras = { event: '', currency: '', zone: here, source: '', evidence: '' }
const bare = (file: string) => file.replace(/\.[^.]+$/, '').slice(0, 100)

export default function ImportPage() {
  const t = useT()
  const can = useCan()
  const [url, setUrl] = useUrlState({ job: '' })
  return (
    <FormPage title={t('imports.title')} lead={t('imports.lead')} crumbs={[{ to: '/people', label: t('nav.people') }]}>
      {!can('import.write') ? (
        <EmptyState icon={Users} title={t('imports.not_allowed')} text={t('imports.not_allowed_help')} />
      ) : url.job ? (
        <>
          <Running key={url.job} id={url.job} onAgain={() => setUrl({ job: '' })} />
        </>
      ) : (
        <Wizard onBegun={(job) => setUrl({ job })} />
      )}
    </FormPage>
  )
}

function Steps({ at, onGo }: { at: number; onGo?: (step: number) => void }) {
  const t = useT()
  return (
    <Stepper
      active={at}
      onStepClick={onGo}
      size="sm"
      wrap={false}
      styles={{ root: { contain: 'inline-size' }, steps: { overflowX: 'auto', paddingBottom: 4 }, stepLabel: { whiteSpace: 'nowrap' } }}
    >
      {steps.map((s, i) => (
        <Stepper.Step key={s} label={t(`imports.step.${s}`)} allowStepSelect={onGo !== undefined && i < at} />
      ))}
    </Stepper>
  )
}

function Wizard({ onBegun }: { onBegun: (job: string) => void }) {
  const t = useT()
  const [step, setStep] = useState(0)
  const [file, setFile] = useState<File | null>(null)
  const [sent, setSent] = useState('')
  const [look, setLook] = useState<Look | null>(null)
  const [kept, setKept] = useState<Kept>({ on: true, name: '', id: '' })
  const [choices, setChoices] = useState<Choice[]>([])
  const [extras, setExtras] = useState(blank)
  const [check, setCheck] = useState<Schemas['ImportCheck'] | null>(null)
  const [busy, setBusy] = useState(false)
  const [failure, setFailure] = useState('')
  const act = async (what: () => Promise<void>) => {
    setBusy(true)
    setFailure('')
    try {
      await what()
    } catch (err) {
      setFailure(describe(err))
    } finally {
      setBusy(false)
    }
  }
  const apply = (found: Look, saved: Schemas['ImportMapping'] | undefined, name: string) => {
    const plan = saved?.plan ?? found.plan
    setKept({ on: true, id: saved?.id ?? '', name: saved?.name ?? name })
    setChoices(
      choicesOf(
        found.columns.map((c) => c.name),
        plan,
      ),
    )
    setExtras(extrasOf(plan, here))
  }
  const open = async (id: string, name: string, layout?: Layout) => {
    const found = await call('post', '/api/v1/imports/look', { body: { upload: id, layout } })
    setLook(found)
    apply(found, found.saved[0], name)
  }
  /** Keeps what was chosen for the next file with these columns. */
  const keep = async () => {
    const last = look?.saved.find((m) => m.id === kept.id)
    const { plan } = wanted()
    if (!look || !kept.on || (last && last.name === kept.name.trim() && samePlan(last.plan, plan))) return
    const made = last
      ? await call('put', '/api/v1/import-mappings/{id}', {
          path: { id: last.id },
          body: { name: kept.name, plan, revision: last.revision },
        })
      : await call('post', '/api/v1/import-mappings', { body: { name: kept.name, columns: choices.map((c) => c.name), plan } })
    setLook({ ...look, saved: [made, ...look.saved.filter((m) => m.id !== made.id)] })
    setKept({ ...kept, id: made.id, name: made.name })
    await refresh(['/api/v1/import-mappings'])
  }
  const choose = (f: File | null) => {
    setFile(f)
    setSent('')
    setLook(null)
    if (!f) return
    void act(async () => {
      const { id } = await upload(f)
      setSent(id)
      await open(id, bare(f.name))
      setStep(1)
    })
  }
  const wanted = () => ({ upload: sent, layout: look?.layout as Layout, plan: planOf(choices, extras) })
  const next = () => {
    if (step === 0 && look) setStep(1)
    if (step === 1)
      void act(async () => {
        setCheck(await call('post', '/api/v1/imports/check', { body: wanted() }))
        await keep()
        setStep(2)
      })
    if (step === 2)
      void act(async () => {
        const job = await call('post', '/api/v1/imports', { body: { ...wanted(), name: file?.name, locale: language() } })
        await refresh(['/api/v1/jobs'])
        onBegun(job.id)
      })
  }
  return (
    <form
      noValidate
      onSubmit={(e) => {
        e.preventDefault()
        next()
      }}
    >
      <Stack gap="md">
        <Steps at={step} onGo={setStep} />
        {step === 0 ? (
          <Card title={t('imports.step.file')}>
            <Stack gap="md">
              <FileInput
                label={t('imports.file')}
                description={t('imports.file_help')}
                placeholder={t('lists.file')}
                accept=".csv,.tsv,.txt,.json,.jsonl,.ndjson,text/csv,text/plain,application/json"
                required
                clearable
                disabled={busy}
                value={file}
                onChange={choose}
              />
              <Note>{busy ? t('imports.reading') : t('imports.file_note')}</Note>
              <Link to="/people/import/mappings">{t('imports.mapping.all')}</Link>
            </Stack>
          </Card>
        ) : null}
        {step === 1 && look ? (
          <>
            <ImportKept saved={look.saved} kept={kept} onKept={setKept} onChoose={(saved) => apply(look, saved, bare(file?.name ?? ''))} />
            <ImportColumns
              columns={look.columns}
              kinds={look.kinds}
              layout={look.layout}
              choices={choices}
              onChoices={setChoices}
              extras={extras}
              onExtras={setExtras}
              busy={busy}
              onLayout={(layout) => void act(() => open(sent, bare(file?.name ?? ''), layout))}
            />
          </>
        ) : null}
        {step === 2 && check ? <ImportCheck of={check} /> : null}
        {failure ? (
          <Alert color="danger" role="alert">
            {failure}
          </Alert>
        ) : null}
        <Actions>
          <LinkButton to="/people">{t('action.cancel')}</LinkButton>
          <Group gap="xs">
            {step > 0 ? (
              <Button
                onClick={() => {
                  setFailure('')
                  setStep(step - 1)
                }}
              >
                {t('imports.back')}
              </Button>
            ) : null}
            <Button type="submit" variant="filled" loading={busy} disabled={step === 0 ? !look : step === 2 && check?.accepted === 0}>
              {step === 2 && check
                ? t(check.complete ? 'imports.go' : 'imports.go_all', { count: check.accepted, n: formatNumber(check.accepted) })
                : t(step === 1 ? 'imports.look' : 'imports.next')}
            </Button>
          </Group>
        </Actions>
      </Stack>
    </form>
  )
}

const Actions = ({ children }: { children: ReactNode }) => (
  <Group justify="space-between" gap="xs">
    {children}
  </Group>
)

/** The import at work, and what has come of it. It goes on when the page is left. */
function Running({ id, onAgain }: { id: string; onAgain: () => void }) {
  const t = useT()
  const job = useRead('/api/v1/jobs/{id}', { path: { id } })
  const state = job.data?.state
  useEffect(() => {
    if (state === 'done') void refresh(['/api/v1/people', '/api/v1/stats'])
  }, [state])
  const over = state === 'done' || state === 'failed' || state === 'cancelled'
  return (
    <Stack gap="md">
      <Steps at={state === 'done' ? 4 : 3} />
      <Card title={t(state === 'done' ? 'imports.done' : 'imports.step.run')}>
        <Stack gap="md">
          <Loaded of={job}>{(j) => <JobState job={j} />}</Loaded>
          <Note>{t(over ? 'imports.done_help' : 'imports.goes_on')}</Note>
          {over && job.data ? <TakeBack job={job.data} /> : null}
        </Stack>
      </Card>
      {over ? <ImportRefused job={id} count={job.data?.figures.refused ?? 0} /> : null}
      <Actions>
        <Button onClick={onAgain}>{t('imports.again')}</Button>
        <LinkButton to="/people" variant="filled">
          {t('imports.to_people')}
        </LinkButton>
      </Actions>
    </Stack>
  )
}

/** Takes the import back as far as that is honest. */
function TakeBack({ job }: { job: Schemas['Job'] }) {
  const t = useT()
  const [undo, setUndo] = useState('')
  const [busy, setBusy] = useState(false)
  const undoing = useRead('/api/v1/jobs/{id}', { path: { id: undo } }, { enabled: undo !== '' })
  const state = undoing.data?.state
  useEffect(() => {
    if (state === 'done') void refresh(['/api/v1/people', '/api/v1/stats'])
  }, [state])
  if (undo) return <Loaded of={undoing}>{(j) => <JobState job={j} full />}</Loaded>
  const ask = async () => {
    setBusy(true)
    try {
      const u = await call('get', '/api/v1/imports/{id}/undo', { path: { id: job.id } })
      const sure = await confirm({
        title: t('imports.undo_title', { name: job.title || t('imports.title') }),
        text: [
          t('imports.undo_removed', { count: u.removed, n: formatNumber(u.removed) }),
          u.kept > 0 ? t('imports.undo_kept', { count: u.kept, n: formatNumber(u.kept) }) : '',
        ]
          .filter(Boolean)
          .join(' '),
        action: t('imports.undo'),
        danger: true,
      })
      if (sure) setUndo((await call('post', '/api/v1/imports/{id}/undo', { path: { id: job.id } })).id)
    } catch (err) {
      toastError(err)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Group>
      <DangerButton size="compact-sm" loading={busy} onClick={() => void ask()}>
        {t('imports.undo')}
      </DangerButton>
    </Group>
  )
}
