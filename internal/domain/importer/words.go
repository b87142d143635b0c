package importer

import "strings"

// words are the reasons in the file of rejected rows, which leaves the product and so must be read without it. Screens word the codes themselves. In the order of
// languages.
var words = map[string][3]string{
	"head_line":     {"line", "行号", "行"},
	"head_reason":   {"why it was not taken", "未导入的原因", "取り込めなかった理由"},
	"columns":       {"has more or fewer cells than the heading row", "单元格数与标题行不一致", "セルの数が見出しの行と合いません"},
	"quotes":        {"the quotation marks do not match", "引号不成对", "引用符が対になっていません"},
	"json":          {"is not a JSON object", "不是 JSON 对象", "JSON オブジェクトではありません"},
	"encoding":      {"has characters that cannot be read; was the right encoding chosen?", "含有无法识别的字符，请确认所选编码是否正确", "読み取れない文字があります。文字コードの選択を確認してください"},
	"too_large":     {"is longer than 32 KB", "超过 32 KB", "32 KB を超えています"},
	"no_identifier": {"says nobody: all cells that tell who it is are empty", "没有写明是谁：标识列全部为空", "誰のことか分かりません。識別子の列がすべて空です"},
	"identifier":    {"{column}: “{value}” cannot identify anybody", "{column}：“{value}”不能用来识别客户", "{column}：「{value}」では顧客を識別できません"},
	"value_number":  {"{column}: “{value}” is not a number", "{column}：“{value}”不是数字", "{column}：「{value}」は数値ではありません"},
	"value_bool":    {"{column}: “{value}” is neither yes nor no", "{column}：“{value}”既不是“是”也不是“否”", "{column}：「{value}」は「はい」とも「いいえ」とも読めません"},
	"value_time":    {"{column}: “{value}” is not a date of the chosen form", "{column}：“{value}”不是所选格式的日期", "{column}：「{value}」は選んだ形式の日付ではありません"},
	"value_json":    {"{column}: “{value}” is not JSON", "{column}：“{value}”不是 JSON", "{column}：「{value}」は JSON ではありません"},
	"future":        {"{column}: “{value}” is in the future", "{column}：“{value}”是将来的时间", "{column}：「{value}」は未来の日時です"},
	"subscription":  {"{column}: “{value}” is neither yes nor no", "{column}：“{value}”看不出是否订阅", "{column}：「{value}」からは配信の可否が分かりません"},
	"event_long":    {"{column}: the name of the event is longer than 100 characters", "{column}：事件名超过 100 个字符", "{column}：イベント名が 100 文字を超えています"},
	"no_time":       {"does not say when it happened", "没有写明发生时间", "いつのことか分かりません"},
	"no_event":      {"does not say what happened", "没有写明发生了什么", "何があったのか分かりません"},
}

func word(code, locale string) string {
	at := 0
	switch {
	case strings.HasPrefix(locale, "zh"):
		at = 1
	case strings.HasPrefix(locale, "ja"):
		at = 2
	}
	return words[code][at]
}

func reason(f *Fault, locale string) string {
	return strings.NewReplacer("{column}", f.Column, "{value}", f.Value).Replace(word(f.Code, locale))
}

func rejectedHead(locale string) []string {
	return []string{word("head_line", locale), word("head_reason", locale)}
}
