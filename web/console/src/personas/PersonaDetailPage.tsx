import { Printer } from 'lucide-react'
import { useRead, useSend } from '@/api'
import { useCan } from '@/app/session'
import { useT } from '@/i18n'
import { useGo, useParam } from '@/lib/route'
import { Growth, Users } from '@/segments/Insights'
import {
  Ago,
  Button,
  Card,
  confirm,
  Definition,
  DetailPage,
  EmptyState,
  ErrorState,
  Link,
  LinkButton,
  Loaded,
  Note,
  Num,
  Stat,
  StatRow,
  Tag,
  toast,
  toastError,
  DangerButton,
} from '@/ui'
import { Face } from './Face'
import css from './personas.module.css'
import { placeName } from './places'
import { ageBand, Reality } from './Reality'

export default function PersonaDetailPage() {
  const t = useT()
  const go = useGo()
  const id = useParam('id')
  const can = useCan()
  const persona = useRead('/api/v1/personas/{id}', { path: { id } })
  const segmentId = persona.data?.size === undefined ? '' : (persona.data.segment_id ?? '')
  const segment = useRead('/api/v1/segments/{id}', { path: { id: segmentId } }, { enabled: segmentId.startsWith('seg_') })
  const list = useRead('/api/v1/lists/{id}', { path: { id: segmentId } }, { enabled: segmentId !== '' && !segmentId.startsWith('seg_') })
  const remove = useSend('delete', '/api/v1/personas/{id}', { refresh: ['/api/v1/personas', '/api/v1/segments'] })
  if (!persona.data)
    return persona.error ? (
      <ErrorState error={persona.error} onRetry={() => void persona.refetch()} />
    ) : (
      <Loaded of={persona}>{() => null}</Loaded>
    )
  const p = persona.data
  const set = segment.data ?? list.data
  const setPath = segmentId.startsWith('seg_') ? `/segments/${segmentId}` : `/lists/${segmentId}`
  const putAway = async () => {
    if (
      !(await confirm({
        title: t('personas.delete_title', { name: p.name }),
        text: t('personas.delete_text'),
        action: t('action.delete'),
        danger: true,
      }))
    )
      return
    remove.mutate(
      { path: { id } },
      {
        onSuccess: () => {
          toast(t('personas.deleted', { name: p.name }))
          go('/personas')
        },
        onError: toastError,
      },
    )
  }
  const parts = (['goals', 'needs', 'pains'] as const).filter((k) => p[k]?.length)
  return (
    <DetailPage
      title={p.name}
      lead={p.role}
      crumbs={[
        { to: '/segments', label: t('nav.segments') },
        { to: '/personas', label: t('personas.title') },
      ]}
      actions={
        <>
          <Button leftSection={<Printer size={16} />} onClick={() => window.print()}>
            {t('personas.print')}
          </Button>
          {can('segments.write') ? (
            <>
              <DangerButton loading={remove.isPending} onClick={() => void putAway()}>
                {t('action.delete')}
              </DangerButton>
              <LinkButton to={`/personas/${id}/edit`} variant="filled">
                {t('action.edit')}
              </LinkButton>
            </>
          ) : null}
        </>
      }
      rail={
        <>
          {p.size === undefined ? null : (
            <StatRow>
              <Stat label={t('field.people')} value={<Num value={p.size} />} note={set?.name ?? '…'} to={setPath} />
            </StatRow>
          )}
          {p.unsettled ? <Note>{t('personas.unsettled_text')}</Note> : null}
          <Card title={t('personas.facts')}>
            <div className={css.facts}>
              <Definition
                items={[
                  [t('personas.age'), ageBand(p)],
                  [t('personas.segment'), p.size === undefined ? t('personas.no_segment') : <Link to={setPath}>{set?.name ?? '…'}</Link>],
                  [t('field.changed'), <Ago key="at" at={p.updated_at} />],
                  [
                    t('personas.history'),
                    can('audit.read') && (
                      <Link key="log" to={`/settings/audit?noun=persona&id=${p.id}`}>
                        {t('personas.history_open')}
                      </Link>
                    ),
                  ],
                ]}
              />
              {p.channels?.length ? <Tags title={t('personas.channels')} words={p.channels.map(placeName)} /> : null}
              {p.words?.length ? <Tags title={t('personas.words')} words={p.words} /> : null}
            </div>
          </Card>
          {p.size === undefined ? null : <Users id={segmentId} except={p.id} />}
        </>
      }
    >
      <div className={css.sheet}>
        <Card>
          <div className={css.hero}>
            <Face name={p.name} colour={p.colour} picture={p.picture} size={104} />
            <div className={css.heroText} style={{ ['--tone' as string]: `var(--ui-chart-${p.colour ?? 1})` }}>
              {p.quote ? <p className={css.quote}>{t('personas.quoted', { quote: p.quote })}</p> : null}
              {p.story ? <p className={css.story}>{p.story}</p> : p.quote ? null : <p className={css.role}>{t('personas.no_story')}</p>}
            </div>
          </div>
        </Card>
        {parts.length ? (
          <Card>
            <div className={`${css.columns} ${css.thoughts}`}>
              {parts.map((k) => (
                <div key={k}>
                  <h3>{t(`personas.${k}`)}</h3>
                  <ul className={css.lines}>
                    {p[k]!.map((line) => (
                      <li key={line}>{line}</li>
                    ))}
                  </ul>
                </div>
              ))}
            </div>
          </Card>
        ) : null}
        {p.size === undefined ? (
          <Card title={t('personas.assumed_real')}>
            <EmptyState
              title={t('personas.no_segment')}
              text={t('personas.segment_help')}
              action={can('segments.write') ? <LinkButton to={`/personas/${id}/edit`}>{t('personas.choose_segment')}</LinkButton> : null}
            />
          </Card>
        ) : (
          <>
            {can('people.read') ? <Reality persona={p} /> : null}
            {segmentId.startsWith('seg_') ? <Growth id={segmentId} /> : null}
          </>
        )}
      </div>
    </DetailPage>
  )
}

function Tags({ title, words }: { title: string; words: string[] }) {
  return (
    <div>
      <div className={css.role}>{title}</div>
      <div className={css.tags}>
        {words.map((w) => (
          <Tag key={w}>{w}</Tag>
        ))}
      </div>
    </div>
  )
}
