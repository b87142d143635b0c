import { CircleCheck, Radio as Waves } from 'lucide-react'
import { useEffect, useState } from 'react'
import { type Schemas, useList, useRead } from '@/api'
import { useT } from '@/i18n'
import { useParam } from '@/lib/route'
import {
  Ago,
  Alert,
  Card,
  CopyText,
  Definition,
  EmptyState,
  ErrorState,
  Link,
  LinkButton,
  LoadingState,
  PageTabs,
  Stack,
  Status,
  Text,
} from '@/ui'
import { RejectionTable } from './RejectionsSection'
import { SettingsSection } from './SettingsSection'
import { snippets } from './snippets'

/** How to connect one source: its key, what to paste, and whether events arrive. */
export default function SourcePage() {
  const t = useT()
  const id = useParam('id')
  const sources = useList('/api/v1/sources', {}, { size: 500 })
  const source = sources.items.find((s) => s.id === id)
  if (source) return <Connect source={source} />
  return (
    <SettingsSection id="sources">
      {sources.loading ? (
        <LoadingState />
      ) : sources.error ? (
        <ErrorState error={sources.error} onRetry={sources.reload} />
      ) : (
        <EmptyState title={t('state.gone')} action={<LinkButton to="/settings/sources">{t('settings.section.sources')}</LinkButton>} />
      )}
    </SettingsSection>
  )
}

/** True once something has been waited for for a minute. */
function useLate(waiting: boolean) {
  const [late, setLate] = useState(false)
  useEffect(() => {
    if (!waiting) return
    const timer = setTimeout(() => setLate(true), 60_000)
    return () => clearTimeout(timer)
  }, [waiting])
  return waiting && late
}

function Connect({ source: s }: { source: Schemas['Source'] }) {
  const t = useT()
  const workspace = useRead('/api/v1/workspace', {})
  const [tab, setTab] = useState('')
  const late = useLate(!s.last_used && !s.disabled)
  const host = (workspace.data?.public_url || location.origin).replace(/\/$/, '')
  const all = snippets(s.kind, s.write_key, host)
  const shown = all.find((x) => x.id === tab) ?? all[0]!
  return (
    <SettingsSection id="sources" thing={s.name}>
      {s.disabled ? (
        <Alert color="warning">{t('source.is_disabled')}</Alert>
      ) : s.last_used ? (
        <Alert color="success" role="status" icon={<CircleCheck size={20} />} title={t('source.arrives')}>
          {t('source.last_event')} <Ago at={s.last_used} />. <Link to="/people">{t('source.see_people')}</Link>
        </Alert>
      ) : (
        <Alert color="warning" role="status" icon={<Waves size={20} />} title={t('source.waiting')}>
          {t('source.waiting_help')}
          {late ? (
            <>
              <p style={{ marginTop: 8 }}>{t('source.late')}</p>
              <ul style={{ listStyle: 'disc', paddingInlineStart: 20 }}>
                <li>{t(`source.late_key_${s.kind}`)}</li>
                <li>{t('source.late_address', { host })}</li>
                <li>
                  {t('source.late_refused')} <a href="#refused">{t('source.refused')}</a>
                </li>
              </ul>
            </>
          ) : null}
        </Alert>
      )}
      <Card>
        <Definition
          items={[
            [t('field.kind'), t(`source.${s.kind}`)],
            ['', t(`source.${s.kind}_help`)],
            [t('settings.write_key'), <CopyText key="key" value={s.write_key} />],
            [t('field.status'), s.disabled ? <Status key="status" value="disabled" /> : ''],
          ]}
        />
      </Card>
      <Card title={t('source.snippet')} help={t('source.snippet_help')}>
        <Stack gap="sm">
          {all.length > 1 ? (
            <PageTabs
              label={t('source.snippet')}
              tabs={all.map((x) => ({ id: x.id, label: x.title }))}
              value={shown.id}
              onChange={setTab}
            />
          ) : null}
          {shown.install ? (
            <>
              <Text size="sm">{t('source.install')}</Text>
              <CopyText value={shown.install} block />
            </>
          ) : null}
          <Text size="sm">{t('source.send')}</Text>
          <CopyText value={shown.code} block />
        </Stack>
      </Card>
      <span id="refused" />
      <Card title={t('source.refused')} help={t('settings.lead.rejections')} flush>
        <RejectionTable source={s.id} bare />
      </Card>
    </SettingsSection>
  )
}
