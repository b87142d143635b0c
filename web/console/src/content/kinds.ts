// The kinds of blocks: their icons, the order of their inputs, and what a new one says. What they may hold is GET /block-schema's business.
import {
  Code,
  Heading,
  Image,
  List,
  type LucideIcon,
  Minus,
  MousePointerClick,
  Puzzle,
  ShoppingBag,
  Space,
  Share2,
  Square,
  Type,
} from 'lucide-react'
import { useQuery } from '@tanstack/react-query'
import { reading } from '@/api'
import { t } from '@/i18n'
import type { Block } from './document'

export interface Property {
  type?: string
  const?: string
  enum?: string[]
  description?: string
  minimum?: number
  maximum?: number
  maxLength?: number
  items?: Property
  $ref?: string
  /** What the text is: line, text, rich, url, cond, path, html, key. */
  'x-is'?: string
}

export interface Shape {
  properties: Record<string, Property>
  required?: string[]
}

export interface BlockSchema extends Shape {
  $defs: Record<string, Shape & { oneOf?: { $ref: string }[] }>
}

/** The schema of documents; it only changes with the server's version. */
export const useSchema = () =>
  useQuery({ ...reading('/api/v1/block-schema', {}), staleTime: Number.POSITIVE_INFINITY, select: (s) => s as unknown as BlockSchema })

/** The kinds in the order in which the server offers them. */
export const kindsOf = (s: BlockSchema): string[] => (s.$defs.block?.oneOf ?? []).map((k) => k.$ref.replace('#/$defs/block.', ''))

const icons: Record<string, LucideIcon> = {
  heading: Heading,
  text: Type,
  button: MousePointerClick,
  image: Image,
  products: ShoppingBag,
  list: List,
  divider: Minus,
  spacer: Space,
  social: Share2,
  html: Code,
  snippet: Puzzle,
}

export const iconOf = (kind: string): LucideIcon => icons[kind] ?? Square

const order = [
  ...['src', 'alt', 'decorative', 'text', 'level', 'label', 'url', 'look', 'full', 'caption', 'width', 'bleed', 'dark_src'],
  ...['each', 'items', 'limit', 'layout', 'ordered', 'image', 'title', 'note', 'price', 'empty', 'links', 'html', 'snippet', 'height'],
]

/** Names of a shape's own inputs, the most important first; what is new to us comes last. */
export function inputsOf(s: Shape | undefined, except: string[] = []): string[] {
  const rank = (n: string) => (order.includes(n) ? order.indexOf(n) : order.length)
  return Object.keys(s?.properties ?? {})
    .filter((n) => !except.includes(n))
    .toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/** A new block, with words that show what it is for. Those that need an address or a name of the author's have none yet. */
export function newBlock(kind: string): Omit<Block, 'id'> {
  switch (kind) {
    case 'heading':
      return { type: kind, text: t('content.new.heading') }
    case 'text':
      return { type: kind, text: t('content.new.text') }
    case 'button':
      return { type: kind, label: t('content.new.button'), url: '{{ workspace.site }}' }
    case 'image':
      return { type: kind, src: '', alt: '' }
    case 'products':
      return { type: kind, each: 'event.products', limit: 4 }
    case 'list':
      return { type: kind, each: 'event.products', text: '{{ item.name }} × {{ item.quantity | default: 1 }}' }
    case 'html':
      return { type: kind, html: '<p></p>' }
    case 'snippet':
      return { type: kind, snippet: '' }
    default:
      return { type: kind }
  }
}
