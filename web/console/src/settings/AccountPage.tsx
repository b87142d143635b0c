import { useState } from 'react'
import { becomes, type Guess, type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatTime, useT } from '@/i18n'
import { useGo, useParam, useUrlState } from '@/lib/route'
import {
  Alert,
  Button,
  Card,
  confirm,
  Definition,
  Group,
  Loaded,
  PageTabs,
  Pending,
  Sheet,
  Stack,
  Status,
  Tag,
  Text,
  ThingActs,
  toast,
  toastError,
  useAtOnce,
} from '@/ui'
import { AccountForm, draftOf } from './AccountForm'
import { InboundTab } from './AccountInbound'
import { PaceTab } from './AccountPace'
import { SettingsSection } from './SettingsSection'

type Account = Schemas['Account']

const live = { refresh: ['/api/v1/accounts'] }

/** One way out: its server, how fast it may go and how news of its messages comes back. */
export default function AccountPage() {
  const id = useParam('id')
  const account = useRead('/api/v1/accounts/{id}', { path: { id } })
  return <Loaded of={account}>{(a) => <View account={a} />}</Loaded>
}

function View({ account: a }: { account: Account }) {
  const t = useT()
  const [{ tab }, setTab] = useUrlState({ tab: 'server' })
  return (
    <SettingsSection
      id="accounts"
      thing={a.name}
      status={
        <>
          <Status value={a.status} />
          {a.default ? <Tag tone="accent">{t('account.default')}</Tag> : null}
        </>
      }
    >
      <Health account={a} />
      <PageTabs
        label={a.name}
        value={tab}
        onChange={(id) => setTab({ tab: id })}
        tabs={['server', 'pace', 'inbound'].map((id) => ({ id, label: t(`account.tab.${id}`) }))}
      />
      {tab === 'server' ? <ServerTab account={a} /> : tab === 'pace' ? <PaceTab account={a} /> : <InboundTab account={a} />}
    </SettingsSection>
  )
}

function Health({ account: a }: { account: Account }) {
  const t = useT()
  const write = useCan()('settings.write')
  const health = useRead('/api/v1/accounts/{id}/health', { path: { id: a.id } }, { every: 60_000 })
  const resume = useSend('post', '/api/v1/accounts/{id}/resume', live)
  const alert = health.data?.alert
  if (!alert) return health.isLoading ? <Pending /> : null
  return (
    <Alert color="danger" role="alert" title={t(alert.paused ? 'account.alert_paused' : 'account.alert')}>
      <Stack gap="xs">
        <Text size="sm">{t('account.alert_text', { n: alert.count, time: formatTime(alert.at) })}</Text>
        {alert.detail ? <Text size="sm">{alert.detail}</Text> : null}
        {write ? (
          <Group>
            <Button
              size="compact-sm"
              loading={resume.isPending}
              onClick={() => resume.mutate({ path: { id: a.id } }, { onSuccess: () => toast(t('account.resumed')), onError: toastError })}
            >
              {t(alert.paused ? 'account.resume' : 'account.alert_away')}
            </Button>
          </Group>
        ) : null}
      </Stack>
    </Alert>
  )
}

/** What a change of whether an account is used, or is the default, makes of all of its channel. */
const afterwards = (a: Account, to: ReturnType<typeof draftOf>): Guess[] => [
  becomes('/api/v1/accounts', a.id, { status: to.disabled ? 'disabled' : 'active', default: to.default ?? false }),
  {
    path: '/api/v1/accounts',
    as: (x: Account) => (to.default && x.id !== a.id && x.kind === a.kind && x.default ? { ...x, default: false } : x),
  },
]

function ServerTab({ account: a }: { account: Account }) {
  const t = useT()
  const go = useGo()
  const write = useCan()('settings.write')
  const [editing, setEditing] = useState(false)
  const channels = useRead('/api/v1/channels', {}, { enabled: editing })
  const check = useSend('post', '/api/v1/accounts/{id}/check')
  const remove = useSend('delete', '/api/v1/accounts/{id}', live)
  const config = a.config as Record<string, string | number | undefined>
  const put = { ...live, shows: (x: { body: ReturnType<typeof draftOf> }) => afterwards(a, x.body) }
  const update = useAtOnce('put', '/api/v1/accounts/{id}', put)
  const [changing, setChanging] = useState(false) // what comes next stands on the revision that this makes
  const change = (patch: Partial<ReturnType<typeof draftOf>>) => {
    setChanging(true)
    void update({ path: { id: a.id }, body: { ...draftOf(a), ...patch } }).finally(() => setChanging(false))
  }
  const end = async () => {
    if (
      await confirm({
        title: t('account.delete_title', { name: a.name }),
        text: t('account.delete_text'),
        action: t('action.remove'),
        danger: true,
        name: a.name,
      })
    )
      remove.mutate({ path: { id: a.id } }, { onSuccess: () => go('/settings/accounts'), onError: toastError })
  }
  return (
    <Card
      title={t('account.tab.server')}
      actions={
        write ? (
          <Group gap="xs">
            <ThingActs
              name={a.name}
              acts={[
                !changing &&
                  !a.default &&
                  a.status !== 'disabled' && { label: t('account.make_default_now'), run: () => change({ default: true }) },
                !changing && {
                  label: t(a.status === 'disabled' ? 'action.enable' : 'action.disable'),
                  run: () => change({ disabled: a.status !== 'disabled' }),
                },
                { label: t('action.remove'), red: true, run: () => void end() },
              ]}
            />
            <Button onClick={() => setEditing(true)}>{t('action.edit')}</Button>
            <Button variant="filled" loading={check.isPending} onClick={() => check.mutate({ path: { id: a.id } })}>
              {t('account.check')}
            </Button>
          </Group>
        ) : null
      }
    >
      <Stack gap="md">
        {check.isSuccess ? (
          <Alert color="success" role="status">
            {t('account.works')}
          </Alert>
        ) : check.error ? (
          <Alert color="danger" role="alert" title={t('account.fails')}>
            {check.error.message}
          </Alert>
        ) : null}
        <Definition
          items={[
            [t('account.from_name'), a.from_name],
            [t('account.from_address'), a.from_address],
            [t('workspace.reply_to'), a.reply_to],
            [t('account.host'), config.host ? `${config.host}${config.port ? `:${config.port}` : ''}` : ''],
            [t('account.security'), config.security ? t(`account.security.${config.security}`) : ''],
            [t('account.username'), config.username],
            [t('account.password'), a.secrets_set?.includes('password') ? '••••••••' : ''],
            [t('account.rate_per_second'), a.rate_per_second],
            [t('account.connections'), a.connections],
          ]}
        />
      </Stack>
      <Sheet title={a.name} opened={editing} onClose={() => setEditing(false)}>
        <Loaded of={channels}>
          {(d) => {
            const channel = (d.items ?? []).find((c) => c.kind === a.kind)
            return channel ? (
              <AccountForm channel={channel} account={a} onDone={() => setEditing(false)} onCancel={() => setEditing(false)} />
            ) : null
          }}
        </Loaded>
      </Sheet>
    </Card>
  )
}
