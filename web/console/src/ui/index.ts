// The one door to components: screens import from '@/ui' and from nowhere else.
export { type Acts, ThingActs } from './acts'
export * from './base'
export { Chart, Sparkline } from './chart'
export { CopyText, Json } from './code'
export { confirm, dismiss } from './confirm'
export type { Question } from './confirm-window'
export { DangerButton } from './danger-button'
export { DateTimeInput } from './dates'
export { type Choice, FilterBar, FilterChip, SearchBox } from './filters'
export { type Form, FormBody, Sheet, useForm } from './form'
export { IconButton } from './icon-button'
export { Link, LinkBox, LinkButton } from './link'
export {
  Card,
  type Crumb,
  DashboardPage,
  Definition,
  DetailPage,
  EditorPage,
  FormFoot,
  FormPage,
  HeadActions,
  ListPage,
  Note,
  PageHead,
  PageTabs,
  SettingsPage,
  Stat,
  StatRow,
  type Tab,
  usePageTitle,
} from './pages'
export { type Rule, RuleSentence, ruleText } from './rule'
export { type Drawn, JsonTextarea, type Schema, SchemaForm, type Values } from './schema-form'
export { Modal } from './modal'
export { EmptyState, ErrorState, Loaded, LoadingState, NothingFound, PartialState, Pending } from './states'
export { type Column, DataTable, ListTable } from './table'
export { Ago, Amounts, Money, Num, PersonLink, personName, Status, Tag, Time, type Tone } from './text'
export { UiProvider, useColorScheme, useShownScheme } from './theme'
export { useAtOnce } from './at-once'
export { toast, toastError, toastPart, toastRetry, toastUndo } from './toast'
export { SavedViews } from './views'
export { ZoneSelect } from './zone-select'
