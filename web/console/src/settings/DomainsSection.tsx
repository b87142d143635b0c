import { useState } from 'react'
import { type Schemas, useList, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useShortcuts } from '@/lib/keys'
import {
  Ago,
  Button,
  Card,
  confirm,
  DataTable,
  EmptyState,
  FormBody,
  Group,
  Link,
  Note,
  Sheet,
  Status,
  TextInput,
  toastError,
  useForm,
  DangerButton,
} from '@/ui'
import { useGo } from '@/lib/route'
import { checkTone } from './DomainPage'
import { SettingsSection } from './SettingsSection'

const live = { refresh: ['/api/v1/sending/domains'] }

/** Domains that mail is sent from. */
export default function DomainsSection() {
  const t = useT()
  const go = useGo()
  const write = useCan()('settings.write')
  const [making, setMaking] = useState(false)
  useShortcuts(write ? [{ keys: 'n', label: t('domain.add'), run: () => setMaking(true) }] : [])
  const domains = useList('/api/v1/sending/domains', {})
  const create = useSend('post', '/api/v1/sending/domains', live)
  const remove = useSend('delete', '/api/v1/sending/domains/{id}', live)
  const form = useForm({
    initial: { domain: '' },
    save: async (v) => go(`/settings/domains/${(await create.mutateAsync({ body: v })).id}`),
  })
  const end = async (d: Schemas['SendingDomain']) => {
    if (
      await confirm({
        title: t('domain.delete_title', { name: d.domain }),
        text: t('domain.delete_text'),
        action: t('action.remove'),
        danger: true,
        name: d.domain,
      })
    )
      remove.mutate({ path: { id: d.id } }, { onError: toastError })
  }
  const add = write ? (
    <Button variant="filled" onClick={() => setMaking(true)}>
      {t('domain.add')}
    </Button>
  ) : null
  return (
    <SettingsSection id="domains" actions={domains.items.length > 0 ? add : null}>
      <Card flush>
        <DataTable
          bare
          plain
          name="domains"
          label={t('settings.section.domains')}
          rows={domains.items}
          rowId={(d) => d.id}
          loading={domains.loading}
          error={domains.error}
          onRetry={domains.reload}
          more={domains.more}
          onMore={domains.loadMore}
          columns={[
            { id: 'domain', title: t('domain.domain'), cell: (d) => <Link to={`/settings/domains/${d.id}`}>{d.domain}</Link> },
            { id: 'status', title: t('field.status'), cell: (d) => <Status value={d.status} tone={checkTone[d.status]} /> },
            {
              id: 'sign',
              title: t('domain.signing'),
              cell: (d) =>
                !d.sign ? (
                  t('domain.off')
                ) : d.keys?.some((k) => k.status === 'active') ? (
                  t('domain.on')
                ) : (
                  <Note>{t('domain.no_active_key')}</Note>
                ),
            },
            { id: 'checked', title: t('domain.checked_at'), cell: (d) => <Ago at={d.checked_at} /> },
            {
              id: 'end',
              title: '',
              num: true,
              cell: (d) =>
                write ? (
                  <Group justify="flex-end">
                    <DangerButton size="compact-sm" onClick={() => void end(d)}>
                      {t('action.remove')}
                    </DangerButton>
                  </Group>
                ) : null,
            },
          ]}
          empty={<EmptyState title={t('domain.empty')} text={t('domain.empty_help')} action={add} />}
        />
      </Card>
      <Sheet title={t('domain.add')} opened={making} onClose={() => setMaking(false)}>
        <FormBody form={form} action={t('domain.add')} onCancel={() => setMaking(false)}>
          <TextInput
            label={t('domain.domain')}
            description={t('domain.domain_help')}
            placeholder="shop.example"
            required
            maxLength={255}
            data-autofocus
            {...form.getInputProps('domain')}
          />
        </FormBody>
      </Sheet>
    </SettingsSection>
  )
}
