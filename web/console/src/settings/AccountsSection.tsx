import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT, word } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import { useGo } from '@/lib/route'
import { Button, Card, DataTable, EmptyState, Link, Loaded, Note, Select, Sheet, Stack, Status, Tag, toast, toastError } from '@/ui'
import { AccountForm } from './AccountForm'
import { SettingsSection } from './SettingsSection'

export default function AccountsSection() {
  const t = useT()
  const go = useGo()
  const write = useCan()('settings.write')
  const [making, setMaking] = useState(false)
  useShortcuts(write ? [{ keys: 'n', label: t('settings.new_account'), run: () => setMaking(true) }] : [])
  const accounts = useRead('/api/v1/accounts', {})
  const check = useSend('post', '/api/v1/accounts/{id}/check')
  const test = (a: Schemas['Account']) =>
    check.mutate({ path: { id: a.id } }, { onSuccess: () => toast(t('account.works')), onError: toastError })
  const server = (a: Schemas['Account']) => {
    const c = a.config as Record<string, string | number | undefined>
    return c.host ? `${c.host}${c.port ? `:${c.port}` : ''}` : word('channel', a.kind)
  }
  const add = write ? (
    <Button variant="filled" onClick={() => setMaking(true)}>
      {t('settings.new_account')}
    </Button>
  ) : null
  return (
    <SettingsSection id="accounts" actions={add}>
      <Card flush>
        <DataTable
          bare
          plain
          name="accounts"
          label={t('settings.accounts')}
          rows={accounts.data?.items ?? []}
          rowId={(a) => a.id}
          loading={accounts.isLoading}
          error={accounts.error}
          onRetry={() => void accounts.refetch()}
          columns={[
            {
              id: 'name',
              title: t('field.name'),
              cell: (a) => (
                <>
                  <Link to={`/settings/accounts/${a.id}`}>{a.name}</Link>{' '}
                  {a.default ? <Tag tone="accent">{t('account.default')}</Tag> : null}
                  <div>
                    <Note>{server(a)}</Note>
                  </div>
                </>
              ),
            },
            { id: 'from', title: t('account.from_address'), cell: (a) => a.from_address },
            { id: 'status', title: t('field.status'), cell: (a) => <Status value={a.status} /> },
            {
              id: 'check',
              title: '',
              num: true,
              cell: (a) =>
                write ? (
                  <Button size="compact-sm" loading={check.isPending && check.variables?.path.id === a.id} onClick={() => test(a)}>
                    {t('account.check')}
                  </Button>
                ) : null,
            },
          ]}
          empty={<EmptyState title={t('account.empty')} />}
        />
      </Card>
      <Sheet title={t('settings.new_account')} opened={making} onClose={() => setMaking(false)}>
        <New
          first={(accounts.data?.items ?? []).length === 0}
          onCancel={() => setMaking(false)}
          onDone={(a) => go(`/settings/accounts/${a.id}`)}
        />
      </Sheet>
    </SettingsSection>
  )
}

function New({ first, onDone, onCancel }: { first: boolean; onDone: (a: Schemas['Account']) => void; onCancel: () => void }) {
  const t = useT()
  const channels = useRead('/api/v1/channels', {})
  const [kind, setKind] = useState('')
  return (
    <Loaded of={channels}>
      {(d) => {
        const all = d.items ?? []
        const channel = all.find((c) => c.kind === kind) ?? all[0]
        return channel ? (
          <Stack gap="md">
            {all.length > 1 ? (
              <Select
                label={t('field.channel')}
                allowDeselect={false}
                data={all.map((c) => ({ value: c.kind, label: word('channel', c.kind) }))}
                value={channel.kind}
                onChange={(v) => setKind(v ?? '')}
              />
            ) : null}
            <AccountForm key={channel.kind} channel={channel} first={first} onDone={onDone} onCancel={onCancel} />
          </Stack>
        ) : null
      }}
    </Loaded>
  )
}
