import { KeyRound } from 'lucide-react'
import { useState } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan, useSession } from '@/app/session'
import { formatList, useT, word } from '@/i18n'
import { forGood, useBulk } from '@/jobs/useBulk'
import { useFile } from '@/jobs/useFile'
import { useShortcuts } from '@/lib/keys'
import { useUrlState } from '@/lib/route'
import {
  Ago,
  Alert,
  Button,
  Card,
  Checkbox,
  confirm,
  CopyText,
  DateTimeInput,
  EmptyState,
  FilterBar,
  FilterChip,
  FormBody,
  Group,
  ListTable,
  Note,
  SavedViews,
  SearchBox,
  Sheet,
  SimpleGrid,
  Status,
  TextInput,
  Time,
  toastError,
  Tooltip,
  useForm,
  DangerButton,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

const none = { q: '', status: '' }
const live = { refresh: ['/api/v1/keys'] }

export default function KeysSection() {
  const t = useT()
  const write = useCan()('keys.write')
  const [making, setMaking] = useState(false)
  useShortcuts(write ? [{ keys: 'n', label: t('settings.new_key'), run: () => setMaking(true) }] : [])
  const [secret, setSecret] = useState('')
  const [filter, setFilter] = useUrlState(none)
  const query = { q: filter.q || undefined, status: (filter.status || undefined) as 'active' | undefined }
  const keys = useList('/api/v1/keys', { query })
  const file = useFile('keys', query)
  const bulk = useBulk({
    acts: write ? [forGood('key_revoke', t('settings.revoke'), t('bulk_sure.key_revoke_help'))] : [],
    query,
    lists: live.refresh,
  })
  const active = filter.q !== '' || filter.status !== ''
  const revoke = useSend('delete', '/api/v1/keys/{id}', live)
  const end = async (k: Schemas['Key']) => {
    if (
      await confirm({
        title: t('settings.revoke'),
        text: t('settings.revoke_confirm', { name: k.name }),
        action: t('settings.revoke'),
        danger: true,
        name: k.name,
      })
    )
      revoke.mutate({ path: { id: k.id } }, { onError: toastError })
  }
  const scopes = (k: Schemas['Key']) => formatList((k.scopes ?? []).map((s) => word('permission', s)))
  return (
    <SettingsSection
      id="keys"
      actions={
        write ? (
          <Button variant="filled" onClick={() => setMaking(true)}>
            {t('settings.new_key')}
          </Button>
        ) : null
      }
    >
      {secret ? (
        <Alert
          color="success"
          title={t('settings.secret_once')}
          withCloseButton
          closeButtonLabel={t('action.close')}
          onClose={() => setSecret('')}
        >
          <CopyText value={secret} />
        </Alert>
      ) : null}
      <SavedViews list="keys" state={filter} defaults={none} onApply={setFilter} />
      <FilterBar active={active} onClear={() => setFilter(none)}>
        <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('key.search')} />
        <FilterChip
          label={t('field.status')}
          value={filter.status}
          choices={['active', 'expired', 'revoked'].map((value) => ({ value, label: word('status', value) }))}
          onChange={(status) => setFilter({ status })}
        />
      </FilterBar>
      <Card flush>
        <ListTable
          bare
          name="keys"
          label={t('settings.keys')}
          of={keys}
          rowId={(k) => k.id}
          {...bulk}
          file={file}
          filtered={active}
          onClearFilters={() => setFilter(none)}
          columns={[
            {
              id: 'name',
              title: t('field.name'),
              cell: (k) => (
                <>
                  {k.name}
                  {k.hint ? (
                    <div>
                      <Note>{k.hint}…</Note>
                    </div>
                  ) : null}
                </>
              ),
              text: (k) => k.name,
            },
            {
              id: 'scopes',
              title: t('settings.scopes'),
              cell: (k) =>
                (k.scopes ?? []).length > 3 ? (
                  <Tooltip label={scopes(k)} multiline maw={360}>
                    {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the whole list shows on focus too */}
                    <span tabIndex={0}>{t('settings.scopes_count', { count: (k.scopes ?? []).length })}</span>
                  </Tooltip>
                ) : (
                  scopes(k)
                ),
            },
            {
              id: 'used',
              title: t('settings.last_used'),
              cell: (k) => <Ago at={k.last_used} />,
              text: (k) => k.last_used,
              field: 'last_used',
            },
            {
              id: 'expires',
              title: t('key.expires'),
              cell: (k) => (k.expires_at ? <Time at={k.expires_at} /> : t('key.never')),
              text: (k) => k.expires_at,
              field: 'expires_at',
            },
            {
              id: 'revoke',
              title: '',
              num: true,
              cell: (k) =>
                k.revoked_at ? (
                  <Status value="revoked" />
                ) : k.expires_at && new Date(k.expires_at) < new Date() ? (
                  <Status value="expired" />
                ) : write ? (
                  <DangerButton size="compact-sm" onClick={() => void end(k)}>
                    {t('settings.revoke')}
                  </DangerButton>
                ) : null,
            },
          ]}
          empty={<EmptyState icon={KeyRound} title={t('settings.no_keys')} />}
        />
      </Card>
      <Sheet title={t('settings.new_key')} opened={making} onClose={() => setMaking(false)}>
        <NewKey
          onCancel={() => setMaking(false)}
          onDone={(s) => {
            setMaking(false)
            setSecret(s)
          }}
        />
      </Sheet>
    </SettingsSection>
  )
}

function NewKey({ onDone, onCancel }: { onDone: (secret: string) => void; onCancel: () => void }) {
  const t = useT()
  const session = useSession()
  const create = useSend('post', '/api/v1/keys', live)
  const all = session.permissions ?? []
  const form = useForm({
    initial: { name: '', scopes: ['people.read', 'segments.read', 'reports.read'] as string[], expires_at: '' },
    save: async (v) => {
      const made = await create.mutateAsync({
        body: {
          name: v.name,
          scopes: v.scopes,
          ...(v.expires_at ? { expires_at: new Date(`${v.expires_at}T23:59:59`).toISOString() } : {}),
        },
      })
      onDone(made.secret ?? '')
    },
  })
  const { scopes, expires_at: expires } = form.getValues()
  return (
    <FormBody form={form} action={t('action.create')} onCancel={onCancel}>
      <TextInput label={t('field.name')} required maxLength={200} data-autofocus {...form.getInputProps('name')} />
      <DateTimeInput
        dateOnly
        label={t('key.expires')}
        description={t('key.expires_help')}
        value={expires}
        onChange={(v) => form.setFieldValue('expires_at', v)}
        error={form.errors.expires_at}
      />
      <Checkbox.Group label={t('settings.scopes')} description={t('key.scopes_help')} required {...form.getInputProps('scopes')}>
        <Group gap="xs" mt="xs">
          <Button
            size="compact-sm"
            onClick={() =>
              form.setFieldValue(
                'scopes',
                all.filter((s) => s.endsWith('.read')),
              )
            }
          >
            {t('key.only_read')}
          </Button>
          <Button size="compact-sm" onClick={() => form.setFieldValue('scopes', scopes.length === all.length ? [] : [...all])}>
            {t(scopes.length === all.length ? 'key.none' : 'key.all')}
          </Button>
        </Group>
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs" mt="sm">
          {all.map((s) => (
            <Checkbox key={s} value={s} label={word('permission', s)} description={s} />
          ))}
        </SimpleGrid>
      </Checkbox.Group>
    </FormBody>
  )
}
