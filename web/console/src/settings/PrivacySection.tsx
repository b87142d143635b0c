import { useEffect, useState } from 'react'
import { refresh, type Schemas, useList, useRead, useSend } from '@/api'
import { formatNumber, useT, word } from '@/i18n'
import { useUrlState } from '@/lib/route'
import {
  Ago,
  Alert,
  Button,
  Card,
  confirm,
  DataTable,
  Definition,
  EmptyState,
  FormBody,
  Loaded,
  Note,
  Progress,
  Select,
  Sheet,
  Stack,
  Tag,
  TextInput,
  Time,
  toast,
  toastError,
  useForm,
  DangerButton,
} from '@/ui'
import { IntakeRules } from './IntakeRules'
import { SettingsSection } from './SettingsSection'

type Erasure = Schemas['Erasure']

const kinds = ['email', 'phone', 'user_id', 'anonymous_id', 'device_id', 'line_user_id', 'wechat_openid', 'wechat_unionid', 'whatsapp_id']
const every = 2000

/** Requests to be forgotten with their receipts, and what intake does not take. */
export default function PrivacySection() {
  const t = useT()
  const [view, setView] = useUrlState({ open: '' })
  const found = useList('/api/v1/erasures', {})
  const waits = found.items.some((e) => e.state !== 'done')
  useEffect(() => {
    if (!waits) return
    const timer = setInterval(() => void refresh(['/api/v1/erasures']), every)
    return () => clearInterval(timer)
  }, [waits])
  return (
    <SettingsSection id="privacy">
      <DataTable
        name="erasures"
        label={t('privacy.requests')}
        rows={found.items}
        rowId={(e) => e.id}
        loading={found.loading}
        error={found.error}
        onRetry={found.reload}
        more={found.more}
        loadingMore={found.loadingMore}
        onMore={found.loadMore}
        columns={[
          { id: 'asked', title: t('privacy.asked'), cell: (e) => <Time at={e.created_at} />, text: (e) => e.created_at },
          { id: 'by', title: t('privacy.who'), cell: (e) => e.by.name, text: (e) => e.by.name },
          { id: 'mode', title: t('privacy.mode'), cell: (e) => t(`privacy.mode_${e.mode}`), text: (e) => e.mode },
          { id: 'state', title: t('field.status'), cell: (e) => <State erasure={e} />, text: (e) => e.state },
          {
            id: 'more',
            title: '',
            num: true,
            cell: (e) => (
              <Button size="compact-sm" onClick={() => setView({ open: e.id })}>
                {t('privacy.receipt')}
              </Button>
            ),
          },
        ]}
        empty={<EmptyState title={t('privacy.empty')} text={t('privacy.empty_help')} />}
      />
      <Check />
      <Refusals />
      <IntakeRules />
      <Sheet title={t('privacy.receipt')} opened={view.open !== ''} onClose={() => setView({ open: '' })}>
        {view.open ? <Receipt id={view.open} /> : null}
      </Sheet>
    </SettingsSection>
  )
}

function State({ erasure: e }: { erasure: Erasure }) {
  const t = useT()
  if (e.state === 'done') return <Tag tone="success">{t('privacy.state_done')}</Tag>
  const share = Math.round((100 * e.step) / e.steps)
  return (
    <Stack gap={4}>
      <Note>{t('privacy.step', { n: formatNumber(e.step), all: formatNumber(e.steps), what: t(`privacy.step_${e.step}`) })}</Note>
      <Progress value={share} aria-label={t('privacy.step', { n: e.step, all: e.steps, what: t(`privacy.step_${e.step}`) })} />
      {e.error ? <Note>{t('privacy.again', { why: e.error })}</Note> : null}
    </Stack>
  )
}

function Receipt({ id }: { id: string }) {
  const t = useT()
  const got = useRead('/api/v1/erasures/{id}', { path: { id } })
  return (
    <Loaded of={got}>
      {(e) => (
        <Stack>
          <State erasure={e} />
          <Definition
            items={[
              [t('privacy.number'), e.id],
              [t('privacy.asked'), <Time key="a" at={e.created_at} />],
              [t('privacy.who'), e.by.name],
              [t('privacy.mode'), t(`privacy.mode_${e.mode}`)],
              ...(e.finished_at ? [[t('privacy.finished'), <Time key="f" at={e.finished_at} />] as [string, React.ReactNode]] : []),
            ]}
          />
          <Card title={t('privacy.reached')}>
            <Definition
              items={e.reached.map((c) => [
                word('privacy_what', c.what),
                t('privacy.count', { n: formatNumber(c.n), how: word('privacy_how', c.how) }),
              ])}
            />
          </Card>
          {e.caveats.length > 0 ? (
            <Card title={t('privacy.caveats')}>
              <Stack gap="xs">
                {e.caveats.map((c) => (
                  <Note key={c}>{word('privacy_caveat', c)}</Note>
                ))}
              </Stack>
            </Card>
          ) : null}
          <Note>{t('privacy.proofs', { n: formatNumber(e.proofs.length) })}</Note>
        </Stack>
      )}
    </Loaded>
  )
}

function Check() {
  const t = useT()
  const check = useSend('post', '/api/v1/privacy-check')
  const refuse = useSend('post', '/api/v1/refusals', { refresh: ['/api/v1/refusals'] })
  const [answer, setAnswer] = useState<Schemas['PrivacyAnswer'] | null>(null)
  const form = useForm({
    initial: { kind: 'email', value: '' },
    save: async (v) => setAnswer(await check.mutateAsync({ body: { identifier: { kind: v.kind, value: v.value.trim() } } })),
    onDone: () => {},
  })
  const keepOut = () => {
    const { kind, value } = form.values
    refuse.mutate(
      { body: { identifiers: [{ kind, value: value.trim() }] } },
      { onError: toastError, onSuccess: () => (setAnswer(null), toast(t('privacy.refused_now'))) },
    )
  }
  const last = answer?.erasures[0]
  return (
    <Card title={t('privacy.check')}>
      <FormBody form={form} action={t('privacy.check_action')} onCancel={answer ? () => (form.reset(), setAnswer(null)) : undefined}>
        <Note>{t('privacy.check_text')}</Note>
        <Select
          label={t('privacy.kind')}
          allowDeselect={false}
          data={kinds.map((k) => ({ value: k, label: word('identifier', k) }))}
          {...form.getInputProps('kind')}
        />
        <TextInput label={t('privacy.value')} required {...form.getInputProps('value')} />
      </FormBody>
      {answer ? (
        <Alert mt="md">
          <Stack gap="xs" align="flex-start">
            <span>{last ? t('privacy.check_erased', { id: last.id }) : t('privacy.check_unknown')}</span>
            {last?.finished_at ? <Ago at={last.finished_at} /> : null}
            <span>{t(answer.refused ? 'privacy.check_refused' : 'privacy.check_taken')}</span>
            {answer.refused ? null : (
              <Button size="compact-sm" loading={refuse.isPending} onClick={keepOut}>
                {t('privacy.refuse')}
              </Button>
            )}
          </Stack>
        </Alert>
      ) : null}
    </Card>
  )
}

function Refusals() {
  const t = useT()
  const found = useList('/api/v1/refusals', {})
  const admit = useSend('delete', '/api/v1/refusals/{hash}', { refresh: ['/api/v1/refusals'] })
  const take = async (hash: string) => {
    if (!(await confirm({ title: t('privacy.admit_title'), text: t('privacy.admit_text'), action: t('privacy.admit'), danger: true })))
      return
    admit.mutate({ path: { hash } }, { onError: toastError, onSuccess: () => toast(t('privacy.admitted')) })
  }
  return (
    <Card title={t('privacy.refusals')}>
      <DataTable
        name="refusals"
        label={t('privacy.refusals')}
        rows={found.items}
        rowId={(r) => r.hash}
        loading={found.loading}
        error={found.error}
        onRetry={found.reload}
        more={found.more}
        loadingMore={found.loadingMore}
        onMore={found.loadMore}
        plain
        columns={[
          { id: 'kind', title: t('privacy.kind'), cell: (r) => word('identifier', r.kind) },
          { id: 'hash', title: t('privacy.hash'), cell: (r) => r.hash.slice(0, 10) },
          { id: 'since', title: t('privacy.since'), cell: (r) => <Time at={r.created_at} /> },
          {
            id: 'more',
            title: '',
            num: true,
            cell: (r) => (
              <DangerButton size="compact-sm" onClick={() => void take(r.hash)}>
                {t('privacy.admit')}
              </DangerButton>
            ),
          },
        ]}
        empty={<EmptyState title={t('privacy.refusals_empty')} text={t('privacy.refusals_help')} />}
      />
    </Card>
  )
}
