import type { ReactNode } from 'react'
import { type Fault, Problem, type Schemas, useRead, useSend, wordsOf } from '@/api'
import { formatAbout, formatCompact, formatLanguage, formatList, formatNumber, formatPercent, hasText, useT } from '@/i18n'
import { useCan } from '@/app/session'
import { sayHere } from '@/content/Findings'
import { LinkCheck } from '@/content/LinkCheck'
import {
  Alert,
  Button,
  Card,
  DataTable,
  Definition,
  Group,
  LinkButton,
  Loaded,
  Note,
  Num,
  Stack,
  Stat,
  StatRow,
  Tag,
  Text,
  toast,
  toastError,
} from '@/ui'
import { editable } from './draft'
import { Fallbacks, GateStat, guessed, Reasons } from './Gate'
import css from './Gate.module.css'

/**
 * Who would get the campaign, who would not, and why; what was found in its content; what a mistake would cost. A test goes to the reader in
 * one click; what else may be done stands beside it.
 */
export function Preflight({ campaign, children }: { campaign: Schemas['Campaign']; children?: ReactNode }) {
  const t = useT()
  const id = campaign.id
  const trial = useSend('post', '/api/v1/messages/test')
  const tryOut = (template: string) =>
    trial.mutate(
      { body: { template } },
      {
        onSuccess: (r) =>
          r.result === 'sent' ? toast(t('content.trial_sent')) : toastError(new Problem(502, { code: 'content.trial', detail: r.detail })),
        onError: toastError,
      },
    )
  const preflight = useRead('/api/v1/campaigns/{id}/preflight', { path: { id } })
  return (
    <Loaded of={preflight}>
      {(p) =>
        p.blocking.length > 0 ? (
          <Blocked campaign={campaign} faults={p.blocking} />
        ) : (
          <Stack gap="md">
            <StatRow>
              <Stat label={t('preflight.included')} value={<Num value={p.included} />} />
              <Stat label={t('preflight.excluded')} value={<Num value={p.excluded} />} />
              <GateStat ask={{ campaign: id }} label={t('metric.audience')} value={p.audience} />
              <GateStat ask={{ campaign: id }} outcome="allowed" about={guessed(p)} label={t('preflight.allowed')} value={p.allowed} />
            </StatRow>
            {guessed(p) ? <Note>{t('preflight.estimate', { n: formatNumber(p.checked) })}</Note> : null}
            <Alert color="info">
              {t('preflight.cost', { n: (guessed(p) ? formatAbout : formatNumber)(p.allowed), short: formatCompact(p.allowed) })}
            </Alert>
            {(p.warnings ?? []).map((w) => (
              <Alert key={w.code} color="warning">
                {hasText(`preflight.${w.code}`) ? t(`preflight.${w.code}`) : w.message}
              </Alert>
            ))}
            <Reasons ask={{ campaign: id }} about={guessed(p)} refused={p.refused_by_reason} waits={p.waits_by_reason} />
            {(p.content ?? []).map((c) => (
              <Content key={c.template} report={c}>
                <Fallbacks ask={{ campaign: id }} about={guessed(p)} of={p.fallbacks.filter((f) => f.template === c.template)} />
              </Content>
            ))}
            {p.arms?.length ? (
              <Card title={t('campaigns.test')} flush>
                <DataTable
                  bare
                  plain
                  name="preflight-test"
                  label={t('campaigns.test')}
                  rows={p.arms}
                  rowId={(a) => a.variant}
                  columns={[
                    { id: 'variant', title: t('campaigns.variant'), cell: (a) => a.variant },
                    { id: 'people', title: t('field.people'), num: true, cell: (a) => <Num value={a.people} /> },
                    {
                      id: 'detectable',
                      title: t('preflight.detectable'),
                      num: true,
                      cell: (a) => (a.detectable ? formatPercent(a.detectable) : '–'),
                    },
                  ]}
                />
              </Card>
            ) : null}
            <Group justify="flex-end" gap="xs">
              {campaign.template ? (
                <Button loading={trial.isPending} onClick={() => tryOut(campaign.template!)}>
                  {t('content.trial')}
                </Button>
              ) : null}
              {children}
            </Group>
          </Stack>
        )
      }
    </Loaded>
  )
}

/** What keeps a campaign from being launched, and the way to mend it. */
function Blocked({ campaign: c, faults }: { campaign: Schemas['Campaign']; faults: Fault[] }) {
  const t = useT()
  const can = useCan()
  return (
    <Stack gap="md">
      <Alert color="danger" title={t('preflight.blocked')}>
        <ul className={css.fallbacks}>
          {[...new Set(faults.map(wordsOf))].map((words) => (
            <li key={words}>{words}</li>
          ))}
        </ul>
      </Alert>
      {can('campaigns.write') && editable(c) ? (
        <Group justify="flex-end" gap="xs">
          <LinkButton to={`/campaigns/${c.id}/edit`} variant="filled">
            {t('campaigns.edit')}
          </LinkButton>
        </Group>
      ) : null}
    </Stack>
  )
}

/** Why a mail is sent, what it asks, which languages it speaks, what the checks found. */
function Content({ report: c, children }: { report: Schemas['Report']; children: ReactNode }) {
  const t = useT()
  const findings = c.findings ?? []
  const missing = c.languages.missing ?? []
  return (
    <Card title={c.name} help={c.value_proposition || t('preflight.no_proposition')}>
      <Stack gap="sm">
        <Definition
          items={[
            ...(['action', 'read', 'click', 'ask', 'why', 'use', 'who'] as const).map((k): [string, string | undefined] => [
              t(`preflight.purpose_${k}`),
              c.purpose[k],
            ]),
            [t('preflight.languages'), formatList((c.languages.has ?? []).map(formatLanguage))],
            [t('preflight.languages_missing'), missing.length ? formatList(missing.map(formatLanguage)) : ''],
          ]}
        />
        {children}
        {findings.length === 0 ? <Text c="dimmed">{t('preflight.no_findings')}</Text> : null}
        {findings.map((f, i) => (
          // oxlint-disable-next-line react/no-array-index-key
          <div key={i} style={{ display: 'flex', gap: 8, alignItems: 'baseline' }}>
            <Tag tone={f.error ? 'danger' : 'warning'}>{t(f.error ? 'preflight.must' : 'preflight.should')}</Tag>
            <span>
              {sayHere(f)}
              {f.locale ? <Note> {formatLanguage(f.locale)}</Note> : null}
            </span>
          </div>
        ))}
        <LinkCheck body={{ template: c.template, version: c.version }} atOnce />
      </Stack>
    </Card>
  )
}
