// The table: rows by cursor, virtual above a hundred, chosen columns, selection with bulk actions. On a phone each row
// is a small card instead, so that nothing scrolls sideways.
import { ActionIcon, Button, Checkbox, Loader, Menu, UnstyledButton } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { columnVisibilityFeature, createColumnHelper, rowSelectionFeature, tableFeatures, useTable } from '@tanstack/react-table'
import { useWindowVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp, ArrowUpDown, Check, Columns3, Download } from 'lucide-react'
import { type ReactNode, type Ref, useEffect, useEffectEvent, useLayoutEffect, useMemo, useRef, useState } from 'react'
import type { Listing } from '@/api'
import { formatNumber, useT } from '@/i18n'
import { download, toCsv } from '@/lib/download'
import { useShortcuts } from '@/lib/keys'
import { type Held, useHeld } from './held'
import { EmptyState, ErrorState, LoadingState, NothingFound, PartialState } from './states'
import css from './table.module.css'

/** An order as the API names it, and how it goes. */
export interface Order {
  value: string
  goes: 'ascending' | 'descending'
}

export interface Column<T> {
  id: string
  title: string
  cell: (row: T) => ReactNode
  /** Right-aligned figures. */
  num?: boolean
  /** The column that names the row; heads its card on a phone. The first one if none says so. */
  main?: boolean
  /** Its content is the button that opens the row, for hands without a mouse; where rows have no link. */
  opens?: boolean
  /** Not shown until the reader chooses it. */
  optional?: boolean
  /** Values of the list's order that this column stands for: the one it takes first, then the other way round. */
  orders?: [Order, Order]
  /** Text for the CSV file; columns without it are left out of the file. */
  text?: (row: T) => string | number | null | undefined
  /** Member of the row that the server writes in a file of all rows, with dots for members of members and commas between those of which the first that is there is taken; the id of the column if it is called so. */
  field?: string
}

interface Props<T> {
  /** Names the table for screen readers, for kept column choices and the CSV file. */
  name: string
  label: string
  columns: Column<T>[]
  rows: T[]
  rowId: (row: T) => string
  /** Rows that wait while somebody is at these. */
  held?: Held
  loading?: boolean
  error?: unknown
  onRetry?: () => void
  /** More rows can be read. */
  more?: boolean
  loadingMore?: boolean
  onMore?: () => void
  /** How many of the last rows sum up others; they are not counted as rows. */
  sums?: number
  /** The rows are people and counted as such. */
  people?: boolean
  /** All rows there are, if they were counted. */
  total?: number
  onOpen?: (row: T) => void
  /** The order of the rows, empty for the list's own; `onOrder` makes the heads of columns with `orders` buttons. */
  order?: string
  onOrder?: (order: string) => void
  /** Buttons for the selected rows; makes rows selectable. `clear` ends the selection; `all`: everything that fits is meant, also what was not read yet. */
  bulk?: (ids: string[], clear: () => void, all: boolean) => ReactNode
  /** Everything that fits can be selected at once: `scope` is what it has to fit, `total` how many there are, once `onAsk` had them counted. */
  matching?: { scope: string; total?: number; onAsk: () => void }
  /** Has a file made of all rows there are, with these columns; the table itself writes one only if it holds them all. */
  file?: (columns: { title: string; field: string }[], title: string) => void
  /** Shown when there are no rows at all. */
  empty?: ReactNode
  /** Filters are set: no rows means nothing found. */
  filtered?: boolean
  onClearFilters?: () => void
  /** Without a frame of its own, inside a card. */
  bare?: boolean
  /** Hides column choice and CSV. */
  plain?: boolean
  /** Many rows of a few figures each, which are read along their column: they stay a table on a phone too, and scroll sideways under their names. */
  grid?: boolean
}

const features = tableFeatures({ columnVisibilityFeature, rowSelectionFeature })
const rowHeight = 45
const cardHeight = 180 // of a card with five columns; each is measured once it is drawn
const phone = '(max-width: 760px)' // as in table.module.css
const virtualFrom = 100 // below this many rows the browser draws them faster than we measure them

type Visibility = Record<string, boolean>

function useKeptColumns<T>(name: string, columns: Column<T>[]): [Visibility, (v: Visibility) => void] {
  const store = `table.${name}`
  const [kept, setKept] = useState<Visibility>(() => JSON.parse(localStorage.getItem(store) ?? '{}'))
  const all = useMemo(() => Object.fromEntries(columns.map((c) => [c.id, kept[c.id] ?? !c.optional])), [columns, kept])
  return [
    all,
    (v) => {
      localStorage.setItem(store, JSON.stringify(v))
      setKept(v)
    },
  ]
}

/** The head of a column: a button where rows can go by it. Pressed again and again it goes one way, the other, and not by this column. */
function Head<T>({ column, order, onOrder }: { column: Column<T>; order?: string; onOrder?: (order: string) => void }) {
  const { orders } = column
  const at = orders?.findIndex((o) => o.value === order) ?? -1
  const now = orders?.[at]
  return (
    <th scope="col" className={column.num ? css.num : undefined} aria-sort={now?.goes}>
      {orders && onOrder ? (
        <button type="button" className={css.order} data-on={now ? true : undefined} onClick={() => onOrder(orders[at + 1]?.value ?? '')}>
          {column.title}
          {now ? (
            now.goes === 'descending' ? (
              <ArrowDown size={13} aria-hidden />
            ) : (
              <ArrowUp size={13} aria-hidden />
            )
          ) : (
            <ArrowUpDown size={13} aria-hidden />
          )}
        </button>
      ) : (
        column.title
      )}
    </th>
  )
}

/** The orders of a list where its columns have no heads: on a phone. */
function Sorting<T>({ columns, order, onOrder }: { columns: Column<T>[]; order: string; onOrder: (order: string) => void }) {
  const t = useT()
  const choices = columns.flatMap((c) =>
    (c.orders ?? []).map((o) => ({ value: o.value, label: t(`table.sort_${o.goes === 'ascending' ? 'up' : 'down'}`, { name: c.title }) })),
  )
  if (choices.length === 0) return null
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="subtle" leftSection={<ArrowUpDown size={14} />}>
          {choices.find((c) => c.value === order)?.label ?? t('table.sort')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {[{ value: '', label: t('table.sort_none') }, ...choices].map((c) => (
          <Menu.Item
            key={c.value}
            leftSection={<Check size={14} visibility={c.value === order ? undefined : 'hidden'} />}
            aria-current={c.value === order || undefined}
            onClick={() => onOrder(c.value)}
          >
            {c.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

export function DataTable<T extends object>(p: Props<T>) {
  const t = useT()
  const [visibility, setVisibility] = useKeptColumns(p.name, p.columns)
  const [picked, setPicked] = useState<Record<string, true>>({})
  const [scope, setScope] = useState<string | null>(null) // of "all that match", which another filter ends
  const { columns: given, rowId } = p
  const all = p.matching !== undefined && scope === p.matching.scope
  const selection = useMemo(
    () => (all ? Object.fromEntries(p.rows.map((r) => [rowId(r), true as const])) : picked),
    [all, picked, p.rows, rowId],
  )
  const columns = useMemo(() => {
    const helper = createColumnHelper<typeof features, T>()
    return helper.columns(given.map((c) => helper.display({ id: c.id, header: c.title })))
  }, [given])
  const table = useTable({
    features,
    columns,
    data: p.rows,
    getRowId: rowId,
    state: { columnVisibility: visibility, rowSelection: selection },
    onRowSelectionChange: (next) => {
      setPicked(typeof next === 'function' ? next(selection) : next)
      setScope(null)
    },
    enableRowSelection: p.bulk !== undefined,
  })

  const small = useMediaQuery(phone, false, { getInitialValueInEffect: false })
  const cards = small && !p.grid
  const body = useRef<HTMLElement>(null)
  const [top, setTop] = useState(0)
  const drawnAny = p.rows.length > 0
  useLayoutEffect(() => {
    if (body.current) setTop(body.current.getBoundingClientRect().top + window.scrollY)
  }, [drawnAny, cards])
  const virtual = p.rows.length >= virtualFrom
  const rows = table.getRowModel().rows
  const virtualizer = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => (cards ? cardHeight : rowHeight),
    overscan: 12,
    scrollMargin: top,
    enabled: virtual,
  })
  const shown = virtual ? virtualizer.getVirtualItems() : []
  const before = virtual ? (shown[0]?.start ?? top) - top : 0
  const after = virtual ? virtualizer.getTotalSize() - ((shown.at(-1)?.end ?? top) - top) : 0
  const drawn = virtual ? shown.map((v) => ({ row: rows[v.index]!, index: v.index })) : rows.map((row, index) => ({ row, index }))

  // Keys go through the rows of a page's list: the way into the next one has the focus, so that Enter opens it; where nothing does, its box to select it.
  const drawnRows = () => [...(body.current?.querySelectorAll<HTMLElement>('[data-index]') ?? [])]
  const rowOfFocus = () => drawnRows().find((r) => r.contains(document.activeElement))?.dataset.index
  const enter = (index: number) => {
    const row = drawnRows().find((r) => r.dataset.index === String(index))
    const way = row?.querySelector<HTMLElement>('[data-main] :is(a, button)') ?? row?.querySelector<HTMLElement>('a, button, input')
    way?.focus()
    return way !== null && way !== undefined
  }
  const step = (by: 1 | -1) => {
    const at = rowOfFocus()
    const inSight = drawnRows().find((r) => r.getBoundingClientRect().top >= 0)?.dataset.index
    const to = Math.min(Math.max(at === undefined ? Number(inSight ?? 0) : Number(at) + by, 0), rows.length - 1)
    if (enter(to)) return
    virtualizer.scrollToIndex(to)
    requestAnimationFrame(() => requestAnimationFrame(() => enter(to))) // when it is drawn
  }
  useShortcuts(
    p.bare || p.rows.length === 0
      ? []
      : [
          { keys: 'j', label: t('table.key_next'), run: () => step(1) },
          { keys: 'k', label: t('table.key_before'), run: () => step(-1) },
          ...(p.bulk ? [{ keys: 'x', label: t('table.key_pick'), run: () => rows[Number(rowOfFocus() ?? -1)]?.toggleSelected() }] : []),
        ],
  )

  // The next page is read when its place comes into view.
  const end = useRef<HTMLDivElement>(null)
  const readMore = useEffectEvent(() => p.onMore?.())
  useEffect(() => {
    if (!p.more || !end.current || typeof IntersectionObserver === 'undefined') return
    const seen = new IntersectionObserver((e) => e[0]?.isIntersecting && readMore(), { rootMargin: '600px' })
    seen.observe(end.current)
    return () => seen.disconnect()
  }, [p.more, p.rows.length])

  const visible = given.filter((c) => visibility[c.id])
  const main = visible.find((c) => c.main) ?? visible[0]
  const ids = p.rows.map(rowId).filter((id) => selection[id]) // what another filter hides is not meant
  const clear = () => {
    setPicked({})
    setScope(null)
  }
  const pickAll = () => {
    if (!table.getIsAllRowsSelected() && p.more) p.matching?.onAsk()
    table.toggleAllRowsSelected()
  }
  const total = p.matching?.total
  const count = p.rows.length - (p.sums ?? 0)
  const known = p.more ? (p.total ?? total) : p.total
  const beyond = p.more && !all && total !== undefined && total > ids.length && table.getIsAllRowsSelected()

  if (p.error && p.rows.length === 0)
    return (
      <Frame bare={p.bare}>
        <ErrorState error={p.error} onRetry={p.onRetry} />
      </Frame>
    )
  if (p.loading)
    return (
      <Frame bare={p.bare}>
        <LoadingState rows={8} />
      </Frame>
    )
  if (p.rows.length === 0)
    return (
      <Frame bare={p.bare}>
        {p.filtered ? <NothingFound onClear={p.onClearFilters} /> : (p.empty ?? <EmptyState title={t('state.empty')} />)}
      </Frame>
    )

  const csv = () => {
    const out = visible.filter((c) => c.text)
    if (p.more && p.file)
      return p.file(
        out.map((c) => ({ title: c.title, field: c.field ?? c.id })),
        p.label,
      )
    download(`${p.name}.csv`, toCsv([out.map((c) => c.title), ...p.rows.map((r) => out.map((c) => c.text!(r)))]), 'text/csv;charset=utf-8')
  }
  const open = (row: T) => (e: React.MouseEvent) => {
    if ((e.target as HTMLElement).closest('a,button,input,label') || window.getSelection()?.toString()) return
    p.onOpen?.(row)
  }

  const content = (c: Column<T>, row: T) =>
    c.opens && p.onOpen ? (
      <UnstyledButton className={css.opener} onClick={() => p.onOpen?.(row)}>
        {c.cell(row)}
      </UnstyledButton>
    ) : (
      c.cell(row)
    )

  return (
    <div data-table className={`${css.wrap} ${p.bare ? css.bare : ''}`}>
      {p.error ? <PartialState error={p.error} onRetry={p.onRetry} /> : null}
      {p.held?.news ? (
        <div className={css.news}>
          <Button size="compact-sm" variant="filled" radius="xl" leftSection={<ArrowUp size={14} />} onClick={p.held.show}>
            {t('table.news', { count: p.held.news, n: `${formatNumber(p.held.news)}${p.held.beyond ? '+' : ''}` })}
          </Button>
        </div>
      ) : null}
      {ids.length > 0 && p.bulk ? (
        <div className={css.bulk} role="toolbar" aria-label={t('table.bulk')}>
          <strong>
            {all && total !== undefined
              ? t('table.matching', { n: formatNumber(total) })
              : t('table.selected', { count: ids.length, n: formatNumber(ids.length) })}
          </strong>
          {beyond ? (
            <Button size="compact-sm" variant="subtle" onClick={() => setScope(p.matching!.scope)}>
              {t('table.select_matching', { n: formatNumber(total) })}
            </Button>
          ) : null}
          {p.bulk(ids, clear, all)}
          <Button size="compact-sm" variant="subtle" onClick={clear}>
            {t('table.clear')}
          </Button>
        </div>
      ) : null}
      {cards ? (
        <>
          {p.bulk || p.onOrder ? (
            <div className={css.phoneBar}>
              {p.bulk ? (
                <Checkbox
                  label={t('table.select_all')}
                  checked={table.getIsAllRowsSelected()}
                  indeterminate={table.getIsSomeRowsSelected() && !table.getIsAllRowsSelected()}
                  onChange={pickAll}
                />
              ) : null}
              {p.onOrder ? <Sorting columns={given} order={p.order ?? ''} onOrder={p.onOrder} /> : null}
            </div>
          ) : null}
          <ul ref={body as Ref<HTMLUListElement>} className={css.cards} aria-label={p.label} {...p.held?.on}>
            {before > 0 ? <li aria-hidden style={{ height: before }} /> : null}
            {drawn.map(({ row, index }) => (
              // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- a larger target for fingers; keys have the link or button in it
              <li
                key={row.id}
                ref={virtual ? virtualizer.measureElement : undefined}
                data-index={index}
                data-opens={p.onOpen ? true : undefined}
                className={css.cardRow}
                data-selected={selection[row.id] || undefined}
                onClick={p.onOpen ? open(row.original) : undefined}
              >
                <div className={css.cardMain}>
                  {main ? <div data-main>{content(main, row.original)}</div> : null}
                  {p.bulk ? (
                    <Checkbox aria-label={t('table.select')} checked={row.getIsSelected()} onChange={row.getToggleSelectedHandler()} />
                  ) : null}
                </div>
                {visible
                  .filter((c) => c !== main)
                  .map((c) => (
                    <div key={c.id} className={css.cardPair}>
                      <span>{c.title}</span>
                      <span>{content(c, row.original)}</span>
                    </div>
                  ))}
              </li>
            ))}
            {after > 0 ? <li aria-hidden style={{ height: after }} /> : null}
          </ul>
        </>
      ) : (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard also where no cell is
        <div data-sideways className={css.scroll} tabIndex={p.onOpen ? undefined : 0} role="group" aria-label={p.label}>
          <table
            className={css.table}
            data-dense={visible.length > 8 || undefined}
            data-grid={p.grid || undefined}
            aria-label={p.label}
            aria-rowcount={p.total ?? (p.more ? -1 : rows.length)}
          >
            <thead>
              {table.getHeaderGroups().map((g) => (
                <tr key={g.id}>
                  {p.bulk ? (
                    <th className={css.pick}>
                      <Checkbox
                        size="xs"
                        aria-label={t('table.select_all')}
                        checked={table.getIsAllRowsSelected()}
                        indeterminate={table.getIsSomeRowsSelected() && !table.getIsAllRowsSelected()}
                        onChange={pickAll}
                      />
                    </th>
                  ) : null}
                  {g.headers.map((h) => (
                    <Head key={h.id} column={given.find((c) => c.id === h.column.id)!} order={p.order} onOrder={p.onOrder} />
                  ))}
                </tr>
              ))}
            </thead>
            <tbody ref={body as Ref<HTMLTableSectionElement>} {...p.held?.on}>
              {before > 0 ? (
                <tr className={css.space}>
                  <td style={{ height: before }} colSpan={visible.length + 1} />
                </tr>
              ) : null}
              {drawn.map(({ row, index }) => (
                <tr
                  key={row.id}
                  ref={virtual ? virtualizer.measureElement : undefined}
                  data-index={index}
                  data-opens={p.onOpen ? true : undefined}
                  data-selected={selection[row.id] || undefined}
                  aria-rowindex={index + 2}
                  className={css.row}
                  onClick={p.onOpen ? open(row.original) : undefined}
                >
                  {p.bulk ? (
                    <td className={css.pick}>
                      <Checkbox
                        size="xs"
                        aria-label={t('table.select')}
                        checked={row.getIsSelected()}
                        onChange={row.getToggleSelectedHandler()}
                      />
                    </td>
                  ) : null}
                  {row.getVisibleCells().map((cell) => {
                    const c = given.find((x) => x.id === cell.column.id)
                    return (
                      <td
                        key={cell.id}
                        data-main={c === main || undefined}
                        className={c?.num ? css.num : c === main ? css.main : undefined}
                      >
                        {c ? content(c, row.original) : null}
                      </td>
                    )
                  })}
                </tr>
              ))}
              {after > 0 ? (
                <tr className={css.space}>
                  <td style={{ height: after }} colSpan={visible.length + 1} />
                </tr>
              ) : null}
            </tbody>
          </table>
        </div>
      )}
      {!p.plain || p.more ? (
        <div className={css.foot}>
          <span>
            {known !== undefined && known > count
              ? t(`table.${p.people ? 'people' : 'rows'}_of`, { n: formatNumber(count), total: formatNumber(known) })
              : t(`table.${p.people ? 'people' : 'rows'}${p.more ? '_more' : ''}`, { count, n: formatNumber(count) })}
          </span>
          <span>
            {p.loadingMore ? (
              <Loader size="xs" />
            ) : p.more ? (
              <Button size="compact-sm" variant="subtle" onClick={p.onMore}>
                {t('list.more')}
              </Button>
            ) : null}
            {!p.plain ? (
              <Tools
                columns={given}
                visibility={visibility}
                onVisibility={setVisibility}
                onCsv={given.some((c) => c.text) ? csv : undefined}
              />
            ) : null}
          </span>
        </div>
      ) : null}
      <div ref={end} />
    </div>
  )
}

const Frame = ({ bare, children }: { bare?: boolean; children: ReactNode }) => (
  <div data-table className={`${css.wrap} ${bare ? css.bare : ''}`}>
    {children}
  </div>
)

function Tools<T>({
  columns,
  visibility,
  onVisibility,
  onCsv,
}: {
  columns: Column<T>[]
  visibility: Visibility
  onVisibility: (v: Visibility) => void
  onCsv?: () => void
}) {
  const t = useT()
  return (
    <>
      <Menu closeOnItemClick={false}>
        <Menu.Target>
          <ActionIcon aria-label={t('table.columns')} title={t('table.columns')}>
            <Columns3 size={16} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {columns.map((c, i) => (
            <Menu.Item key={c.id} component="label" disabled={i === 0}>
              <Checkbox
                size="xs"
                label={c.title}
                checked={visibility[c.id] ?? false}
                disabled={i === 0}
                onChange={(e) => onVisibility({ ...visibility, [c.id]: e.currentTarget.checked })}
              />
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {onCsv ? (
        <ActionIcon aria-label={t('table.csv')} title={t('table.csv')} onClick={onCsv}>
          <Download size={16} />
        </ActionIcon>
      ) : null}
    </>
  )
}

/** A table of what useList reads: pages, loading, errors and rows that come in while somebody is at them are looked after. */
export function ListTable<T extends object>({
  of,
  ...rest
}: { of: Listing<T> } & Omit<Props<T>, 'rows' | 'held' | 'loading' | 'error' | 'onRetry' | 'more' | 'loadingMore' | 'onMore'>) {
  const { rows, ...held } = useHeld(of.items, rest.rowId, of.asked, of.more)
  return (
    <DataTable
      rows={rows}
      held={held}
      loading={of.loading}
      error={of.error}
      onRetry={of.reload}
      more={of.more}
      loadingMore={of.loadingMore}
      onMore={of.loadMore}
      {...rest}
    />
  )
}
