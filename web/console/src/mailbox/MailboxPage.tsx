import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Mailbox } from 'lucide-react'
import { useState } from 'react'
import { Problem } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { useUrlState } from '@/lib/route'
import { Accordion, DataTable, EmptyState, ListPage, Loaded, Sheet, Time } from '@/ui'
import css from './MailboxPage.module.css'

interface Mail {
  ID: string
  From: string
  To: string
  Subject: string
  Date: string
  Text?: string
  Headers?: { Name: string; Value: string }[]
}

// The mailbox is part of the demonstration, not of the API; hence its own small reader.
async function read<T>(path: string): Promise<T> {
  const answer = await fetch(`/demo/mailbox${path}`)
  if (!answer.ok) throw new Problem(answer.status, { code: answer.status === 404 ? 'mailbox.gone' : 'internal' })
  return answer.json()
}

const page = 50
const most = 500 // that the demonstration shows

/** What would have been sent to the sample's customers. */
export default function MailboxPage() {
  const t = useT()
  const [view, setView] = useUrlState({ mail: '' })
  const [limit, setLimit] = useState(page)
  const mails = useQuery({
    queryKey: ['/demo/mailbox', limit],
    queryFn: () => read<{ items: Mail[] | null; count: number }>(`?limit=${limit}`),
    placeholderData: keepPreviousData,
    refetchInterval: 3000,
  })
  const rows = mails.data?.items ?? []
  return (
    <ListPage
      title={t('nav.mailbox')}
      lead={t('mailbox.lead')}
      meta={mails.data ? <span>{t('mailbox.count', { n: formatNumber(mails.data.count) })}</span> : null}
    >
      <DataTable
        name="mailbox"
        label={t('nav.mailbox')}
        plain
        rows={rows}
        total={mails.data?.count}
        more={rows.length < Math.min(mails.data?.count ?? 0, most)}
        loadingMore={mails.isPlaceholderData}
        onMore={() => setLimit(Math.min(rows.length + page, most))}
        rowId={(m) => m.ID}
        loading={mails.isLoading}
        error={mails.error}
        onOpen={(m) => setView({ mail: m.ID }, { push: true })}
        columns={[
          {
            id: 'subject',
            opens: true,
            title: t('field.subject'),
            cell: (m) => m.Subject,
          },
          { id: 'to', title: t('field.person'), cell: (m) => m.To },
          { id: 'time', title: t('field.time'), num: true, cell: (m) => <Time at={m.Date} /> },
        ]}
        empty={<EmptyState icon={Mailbox} title={t('mailbox.empty_title')} text={t('mailbox.empty')} />}
      />
      <Sheet wide title={t('mailbox.mail')} opened={view.mail !== ''} onClose={() => setView({ mail: '' })}>
        <Letter id={view.mail} />
      </Sheet>
    </ListPage>
  )
}

function Letter({ id }: { id: string }) {
  const t = useT()
  const mail = useQuery({ queryKey: ['/demo/mailbox', id], queryFn: () => read<Mail>(`/${id}`) })
  return (
    <Loaded of={mail}>
      {(m) => (
        <div className={css.letter}>
          <h2>{m.Subject}</h2>
          <p className={css.route}>
            {m.From} → {m.To}
          </p>
          {/* the letter's own policy allows no scripts; the sandbox lets links open in a new tab only */}
          <iframe
            title={m.Subject}
            sandbox="allow-popups allow-popups-to-escape-sandbox"
            src={`/demo/mailbox/${id}/letter`}
            className={css.frame}
          />
          <Accordion multiple variant="contained">
            <Accordion.Item value="text">
              <Accordion.Control>{t('mailbox.text')}</Accordion.Control>
              <Accordion.Panel>
                <pre className={css.text}>{m.Text}</pre>
              </Accordion.Panel>
            </Accordion.Item>
            <Accordion.Item value="headers">
              <Accordion.Control>{t('mailbox.headers')}</Accordion.Control>
              <Accordion.Panel>
                <pre className={css.text}>{(m.Headers ?? []).map((x) => `${x.Name}: ${x.Value}`).join('\n')}</pre>
              </Accordion.Panel>
            </Accordion.Item>
          </Accordion>
        </div>
      )}
    </Loaded>
  )
}
