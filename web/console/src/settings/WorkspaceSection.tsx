import { useMemo } from 'react'
import { type Schemas, useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { formatCountry, formatLanguage, language, languages, useT } from '@/i18n'
import { Card, FormBody, Loaded, Select, SimpleGrid, Stack, Switch, Textarea, TextInput, toast, useForm, ZoneSelect } from '@/ui'
import { SampleCard } from '@/home/SampleCard'
import { SettingsSection } from './SettingsSection'

// Codes that Intl names though no telephone numbers are written in their form.
const noRegions = new Set(['EU', 'EZ', 'UN', 'QO', 'XA', 'XB', 'ZZ'])

function regions(): { value: string; label: string }[] {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  return letters
    .flatMap((a) => letters.map((b) => a + b))
    .map((value) => ({ value, label: formatCountry(value) }))
    .filter((r) => r.label !== r.value && !noRegions.has(r.value))
    .toSorted((a, b) => a.label.localeCompare(b.label, language()))
}

const currencies = (also: string) => [...new Set([also, ...Intl.supportedValuesOf('currency')])].filter(Boolean)

export default function WorkspaceSection() {
  const workspace = useRead('/api/v1/workspace', {})
  return (
    <SettingsSection id="workspace">
      <Loaded of={workspace}>{(w) => <Form key={w.id} workspace={w} />}</Loaded>
      <SampleCard />
    </SettingsSection>
  )
}

function Form({ workspace: w }: { workspace: Schemas['Workspace'] }) {
  const t = useT()
  const write = useCan()('settings.write')
  const lang = language()
  const countries = useMemo(() => (lang ? regions() : []), [lang])
  const save = useSend('patch', '/api/v1/workspace', { refresh: ['/api/v1/workspace'] })
  const form = useForm({
    initial: {
      name: w.name,
      timezone: w.timezone,
      currency: w.currency,
      default_region: w.default_region,
      locale: w.locale,
      public_url: w.public_url ?? '',
      site_url: w.site_url ?? '',
      sender_name: w.sender_name ?? '',
      sender_email: w.sender_email ?? '',
      reply_to: w.reply_to ?? '',
      postal_address: w.postal_address ?? '',
      approve_campaigns: w.approve_campaigns,
    },
    follow: true,
    save: (v) => save.mutateAsync({ body: v }),
    onDone: () => toast(t('settings.saved')),
  })
  const locales = localesIn()
  const input = (name: keyof ReturnType<typeof form.getValues>) => ({
    label: t(`workspace.${name}`),
    disabled: !write,
    ...form.getInputProps(name),
  })
  const inputs = (
    <>
      <Card title={t('workspace.about')}>
        <Stack gap="md">
          <TextInput required maxLength={200} {...input('name')} />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <ZoneSelect description={t('workspace.timezone_help')} {...input('timezone')} />
            <Select
              searchable
              allowDeselect={false}
              data={
                locales.some((l) => l.value === w.locale) ? locales : [{ value: w.locale, label: formatLanguage(w.locale) }, ...locales]
              }
              description={t('workspace.locale_help')}
              {...input('locale')}
            />
            <Select
              searchable
              allowDeselect={false}
              data={currencies(w.currency)}
              description={t('workspace.currency_help')}
              {...input('currency')}
            />
            <Select
              searchable
              allowDeselect={false}
              data={countries}
              description={t('workspace.default_region_help')}
              {...input('default_region')}
            />
          </SimpleGrid>
        </Stack>
      </Card>
      <Card title={t('workspace.sender')} help={t('workspace.sender_help')}>
        <Stack gap="md">
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput {...input('sender_name')} />
            <TextInput type="email" {...input('sender_email')} />
            <TextInput type="email" description={t('workspace.reply_to_help')} {...input('reply_to')} />
            <TextInput
              type="url"
              placeholder="https://mail.example.com"
              description={t('workspace.public_url_help')}
              {...input('public_url')}
            />
            <TextInput
              type="url"
              placeholder="https://www.example.com/"
              description={t('workspace.site_url_help')}
              {...input('site_url')}
            />
          </SimpleGrid>
          <Textarea autosize minRows={2} maxRows={6} description={t('workspace.postal_address_help')} {...input('postal_address')} />
        </Stack>
      </Card>
      <Card title={t('settings.approval')}>
        <Switch
          disabled={!write}
          {...form.getInputProps('approve_campaigns', { type: 'checkbox' })}
          label={t('settings.approve')}
          description={t('workspace.approve_help')}
        />
      </Card>
    </>
  )
  if (!write) return inputs
  return (
    <FormBody form={form} action={t('action.save')}>
      {inputs}
    </FormBody>
  )
}

const localesIn = () => languages.map((l) => ({ value: l.code as string, label: formatLanguage(l.code) }))
