// What the workspace may use of the installation, and what it uses.
import { type Schemas, useRead } from '@/api'
import { formatDay, formatNumber, formatTimeIn, hereZone, useT } from '@/i18n'
import { Alert, Card, Chart, DataTable, Loaded, Note, Num, Progress, Stack, Text } from '@/ui'
import { SettingsSection } from './SettingsSection'

type Usage = Schemas['Usage']
type Limit = Schemas['UsageLimit']

/** Share of a daily limit from which a warning stands above the page. */
const near = 0.8

export default function UsageSection() {
  const got = useRead('/api/v1/usage', {})
  return (
    <SettingsSection id="usage">
      <Loaded of={got}>{(u) => <Use of={u} />}</Loaded>
    </SettingsSection>
  )
}

const share = (l: Limit) => (l.limit > 0 && l.used !== undefined ? l.used / l.limit : 0)
const percent = (of: number) => formatNumber(Math.min(1, of), { style: 'percent' })

function Use({ of }: { of: Usage }) {
  const t = useT()
  const limits = of.limits ?? []
  const days = of.days ?? []
  return (
    <Stack>
      {limits
        .filter((l) => share(l) >= near)
        .map((l) => (
          <Alert key={l.kind} color={share(l) >= 1 ? 'danger' : 'warning'} title={t(`usage_kind.${l.kind}`)}>
            {share(l) >= 1 ? t('usage.over') : t('usage.near', { share: percent(share(l)) })} {t(`usage_help.${l.kind}`)}
          </Alert>
        ))}
      <Card title={t('usage.limits')}>
        <Stack>
          <DataTable
            name="usage"
            label={t('usage.limits')}
            rows={limits}
            rowId={(l) => l.kind}
            plain
            columns={[
              {
                id: 'kind',
                title: t('usage.kind'),
                cell: (l) => (
                  <div>
                    <div>{t(`usage_kind.${l.kind}`)}</div>
                    <Note>{t(`usage_help.${l.kind}`)}</Note>
                  </div>
                ),
                text: (l) => l.kind,
              },
              {
                id: 'used',
                title: t('usage.used'),
                num: true,
                cell: (l) =>
                  l.used === undefined ? (
                    '–'
                  ) : (
                    <div>
                      <Num value={l.used} />
                      {l.limit > 0 ? (
                        <Progress value={Math.min(100, 100 * share(l))} aria-label={t(`usage_kind.${l.kind}`)} miw={80} />
                      ) : null}
                    </div>
                  ),
                text: (l) => String(l.used ?? ''),
              },
              {
                id: 'limit',
                title: t('usage.limit'),
                num: true,
                cell: (l) => (l.limit > 0 ? <Num value={l.limit} /> : t('usage.none')),
                text: (l) => String(l.limit),
              },
            ]}
          />
          <Text size="sm">{t('usage.resets', { time: formatTimeIn(of.resets_at, hereZone()) })}</Text>
        </Stack>
      </Card>
      <Card title={t('usage.days')}>
        <Chart
          title={t('usage.days')}
          kind="bar"
          zone="UTC"
          data={{
            labels: days.map((d) => formatDay(`${d.day}T12:00`)),
            series: [
              { name: t('usage.events'), values: days.map((d) => d.events) },
              { name: t('usage.requests'), values: days.map((d) => d.requests) },
              { name: t('usage.messages'), values: days.map((d) => d.messages) },
              { name: t('usage.refused'), values: days.map((d) => d.refused + d.requests_refused) },
            ],
          }}
        />
      </Card>
    </Stack>
  )
}
