//! A name with another one in brackets behind it: shared by `inside_brackets` and `outside_brackets`.

/// Opening brackets and what closes them.
const PAIRS: &[(char, char)] = &[('(', ')'), ('（', '）'), ('[', ']'), ('【', '】'), ('「', '」')];

/// What stands outside and inside of the last pair of brackets, if it ends the text; both without blanks around them.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let last = text.chars().last()?;
    // People mix the widths: （x) is as good as (x).
    let closes = |(_, close): &&(char, char)| *close == last;
    let kind = PAIRS.iter().find(closes)?;
    let opens = |letter: char| match kind.0 {
        '(' | '（' => matches!(letter, '(' | '（'),
        open => letter == open,
    };
    let (start, open) = text.char_indices().rev().find(|(_, letter)| opens(*letter))?;
    let inside = text.get(start + open.len_utf8()..text.len() - last.len_utf8())?.trim();
    let outside = text.get(..start)?.trim();
    (!inside.is_empty() && !outside.is_empty()).then_some((outside, inside))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn brackets_of_every_width_are_read() {
        for text in ["逍遥(张三)", " 逍遥 （ 张三 ）", "逍遥（张三)", "逍遥[张三]", "逍遥【张三】"]
        {
            assert_eq!(split(text), Some(("逍遥", "张三")), "{text}");
        }
        assert_eq!(split("a(b)(c)"), Some(("a(b)", "c")));
    }

    #[test]
    fn a_name_without_a_second_one_is_whole() {
        for text in ["", "张三", "张三()", "(张三)", "张三(", "张(三)丰", ")", "张三]"]
        {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
