import { useRead } from '@/api'
import { formatNumber, formatPercent, hasText, useT, word } from '@/i18n'
import { Alert, Card, DataTable, Loaded, Note, Num, Stack, Stat, StatRow } from '@/ui'

/** Who would get the campaign, who would not, and why. */
export function Preflight({ id }: { id: string }) {
  const t = useT()
  const preflight = useRead('/api/v1/campaigns/{id}/preflight', { path: { id } })
  return (
    <Loaded of={preflight}>
      {(p) => (
        <Stack gap="md">
          <StatRow>
            <Stat label={t('preflight.included')} value={<Num value={p.included} />} />
            <Stat label={t('preflight.excluded')} value={<Num value={p.excluded} />} />
            <Stat label={t('metric.audience')} value={<Num value={p.audience} />} />
            <Stat label={t('preflight.allowed')} value={<Num value={p.allowed} />} />
          </StatRow>
          {p.checked < p.audience ? <Note>{t('preflight.estimate', { n: formatNumber(p.checked) })}</Note> : null}
          {(p.warnings ?? []).map((w) => (
            <Alert key={w.code} color="warning">
              {hasText(`preflight.${w.code}`) ? t(`preflight.${w.code}`) : w.message}
            </Alert>
          ))}
          {p.refused_by_reason?.length ? (
            <Card title={t('report.refused')} flush>
              <DataTable
                bare
                plain
                name="preflight-refused"
                label={t('report.refused')}
                rows={p.refused_by_reason}
                rowId={(x) => x.reason}
                columns={[
                  { id: 'reason', title: t('field.reason'), cell: (x) => word('reason', x.reason) },
                  { id: 'count', title: t('field.people'), num: true, cell: (x) => <Num value={x.count} /> },
                ]}
              />
            </Card>
          ) : null}
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
        </Stack>
      )}
    </Loaded>
  )
}
