import { useState } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT, word } from '@/i18n'
import { forGood, useBulk } from '@/jobs/useBulk'
import { Secrets } from '@/journeys/Secrets'
import { useShortcuts } from '@/lib/keys'
import { useGo, useUrlState } from '@/lib/route'
import { eventName } from '@/people/happening'
import {
  Ago,
  Alert,
  Button,
  Card,
  Checkbox,
  CopyText,
  DataTable,
  EmptyState,
  FilterBar,
  FilterChip,
  FormBody,
  Link,
  Note,
  SavedViews,
  SearchBox,
  Sheet,
  SimpleGrid,
  Stack,
  Status,
  Switch,
  TextInput,
  useForm,
} from '@/ui'
import { SettingsSection } from './SettingsSection'

type Webhook = Schemas['Webhook']

const none = { q: '', status: '' }
const live = { refresh: ['/api/v1/webhooks'] }

export function WebhookStatus({ of: w }: { of: Webhook }) {
  return <Status value={w.status === 'on' ? 'active' : w.status} tone={w.status === 'disabled' ? 'danger' : undefined} />
}

/** Addresses that are told of events. */
export default function WebhooksSection() {
  const t = useT()
  const go = useGo()
  const write = useCan()('settings.write')
  const [making, setMaking] = useState(false)
  useShortcuts(write ? [{ keys: 'n', label: t('webhook.add'), run: () => setMaking(true) }] : [])
  const [made, setMade] = useState<Schemas['WebhookSecret'] | null>(null)
  const [filter, setFilter] = useUrlState(none)
  const query = { q: filter.q || undefined, status: (filter.status || undefined) as 'on' | undefined }
  const hooks = useRead('/api/v1/webhooks', { query }, { keep: true })
  const bulk = useBulk({
    acts: write
      ? [
          { act: 'webhook_on', label: t('webhook.turn_on') },
          { act: 'webhook_off', label: t('webhook.turn_off') },
          forGood('webhook_delete', t('action.delete'), t('bulk_sure.webhook_delete_help')),
        ]
      : [],
    query,
    lists: live.refresh,
  })
  const active = filter.q !== '' || filter.status !== ''
  return (
    <SettingsSection
      id="webhooks"
      actions={
        write ? (
          <Button variant="filled" onClick={() => setMaking(true)}>
            {t('webhook.add')}
          </Button>
        ) : null
      }
    >
      {made ? (
        <Alert
          color="success"
          title={t('settings.secret_once')}
          withCloseButton
          closeButtonLabel={t('action.close')}
          onClose={() => go(`/settings/webhooks/${made.id}`)}
        >
          <Stack gap="xs">
            <CopyText value={made.secret} />
            <Note>{t('webhook.secret_help')}</Note>
          </Stack>
        </Alert>
      ) : null}
      <SavedViews list="webhooks" state={filter} defaults={none} onApply={setFilter} />
      <FilterBar active={active} onClear={() => setFilter(none)}>
        <SearchBox value={filter.q} onChange={(q) => setFilter({ q })} placeholder={t('webhook.search')} />
        <FilterChip
          label={t('field.status')}
          value={filter.status}
          choices={['on', 'off', 'disabled'].map((value) => ({ value, label: word('status', value === 'on' ? 'active' : value) }))}
          onChange={(status) => setFilter({ status })}
        />
      </FilterBar>
      <Card flush>
        <DataTable
          bare
          plain
          name="webhooks"
          label={t('settings.section.webhooks')}
          rows={hooks.data?.items ?? []}
          rowId={(w) => w.id}
          loading={hooks.isLoading}
          error={hooks.error}
          onRetry={() => void hooks.refetch()}
          {...bulk}
          filtered={active}
          onClearFilters={() => setFilter(none)}
          columns={[
            {
              id: 'name',
              title: t('field.name'),
              cell: (w) => (
                <>
                  <Link to={`/settings/webhooks/${w.id}`}>{w.name}</Link>
                  <div>
                    <Note>{w.url}</Note>
                  </div>
                </>
              ),
            },
            { id: 'status', title: t('field.status'), cell: (w) => <WebhookStatus of={w} /> },
            { id: 'last', title: t('webhook.last_success'), cell: (w) => <Ago at={w.succeeded_at} /> },
          ]}
          empty={<EmptyState title={t('webhook.empty')} />}
        />
      </Card>
      <Secrets />
      <Sheet title={t('webhook.add')} opened={making} onClose={() => setMaking(false)}>
        <WebhookForm
          onCancel={() => setMaking(false)}
          onDone={(w) => {
            setMaking(false)
            setMade(w as Schemas['WebhookSecret'])
          }}
        />
      </Sheet>
    </SettingsSection>
  )
}

/** What a kind of event is called, as in a person's history. */
export function useKindName() {
  const kinds = useRead('/api/v1/webhook-kinds', {}).data?.items
  return (key: string) => {
    const name = kinds?.find((k) => k.key === key)?.event
    return name ? eventName({ type: '', name }) : key
  }
}

export function WebhookForm({ hook, onDone, onCancel }: { hook?: Webhook; onDone: (w: Webhook) => void; onCancel: () => void }) {
  const t = useT()
  const kinds = useRead('/api/v1/webhook-kinds', {})
  const create = useSend('post', '/api/v1/webhooks', live)
  const update = useSend('put', '/api/v1/webhooks/{id}', live)
  const form = useForm({
    initial: { name: hook?.name ?? '', url: hook?.url ?? '', kinds: hook?.kinds ?? ([] as string[]), off: hook?.off ?? false },
    follow: hook !== undefined,
    save: (v) => (hook ? update.mutateAsync({ path: { id: hook.id }, body: v }) : create.mutateAsync({ body: v })),
    onDone,
  })
  return (
    <FormBody form={form} action={t('action.save')} onCancel={onCancel}>
      <TextInput label={t('field.name')} required maxLength={100} data-autofocus {...form.getInputProps('name')} />
      <TextInput
        label={t('webhook.url')}
        description={t('webhook.url_help')}
        placeholder="https://hooks.example.com/kizuna"
        type="url"
        required
        maxLength={2000}
        {...form.getInputProps('url')}
      />
      <Checkbox.Group label={t('webhook.kinds')} required {...form.getInputProps('kinds')}>
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xs" mt="xs">
          {(kinds.data?.items ?? []).map((k) => (
            <Checkbox key={k.key} value={k.key} label={eventName({ type: '', name: k.event })} description={k.key} />
          ))}
        </SimpleGrid>
      </Checkbox.Group>
      <Switch label={t('webhook.off')} description={t('webhook.off_help')} {...form.getInputProps('off', { type: 'checkbox' })} />
    </FormBody>
  )
}
