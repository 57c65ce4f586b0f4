//! Chinese names: where the surname ends, and how its characters are read.
//!
//! Not here: what functions make of it. The invariant: a surname with a reading of its own never takes the one that its
//! character has elsewhere; what is not Chinese is not split.

use pinyin::ToPinyin as _;

/// Surnames of two characters, in both scripts where they differ.
const COMPOUND: &str = "欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 尉迟 尉遲 皇甫 令狐 长孙 長孫 慕容 宇文 司徒 东方 東方 独孤 獨孤 南宫 南宮 万俟 萬俟 \
    夏侯 闻人 聞人 公羊 赫连 赫連 澹台 澹臺 宗政 濮阳 濮陽 公冶 太叔 申屠 公孙 公孫 仲孙 仲孫 轩辕 軒轅 钟离 鍾離 鲜于 鮮于 闾丘 閭丘 司空 \
    亓官 司寇 巫马 巫馬 公西 颛孙 顓孫 壤驷 壤駟 漆雕 乐正 樂正 宰父 谷梁 穀梁 拓跋 夹谷 夾谷 段干 百里 呼延 东郭 東郭 南门 南門 羊舌 微生 \
    梁丘 左丘 西门 西門 第五 南荣 南榮 东里 東里 即墨 达奚 達奚 褚师 褚師 纳兰 納蘭 完颜 完顏 叶赫 葉赫 耶律 端木 太史 贺兰 賀蘭 宿勤 淳于 单于";

/// Surnames whose reading is not the one that their characters mostly have.
const READINGS: &[(&str, &str)] = &[
    ("单", "shan"),
    ("單", "shan"),
    ("曾", "zeng"),
    ("解", "xie"),
    ("仇", "qiu"),
    ("查", "zha"),
    ("區", "ou"),
    ("区", "ou"),
    ("朴", "piao"),
    ("盖", "ge"),
    ("蓋", "ge"),
    ("缪", "miao"),
    ("繆", "miao"),
    ("覃", "qin"),
    ("冼", "xian"),
    ("洗", "xian"),
    ("任", "ren"),
    ("华", "hua"),
    ("華", "hua"),
    ("宁", "ning"),
    ("甯", "ning"),
    ("翟", "zhai"),
    ("员", "yun"),
    ("員", "yun"),
    ("乐", "yue"),
    ("樂", "yue"),
    ("谌", "chen"),
    ("諶", "chen"),
    ("晁", "chao"),
    ("纪", "ji"),
    ("紀", "ji"),
    ("种", "chong"),
    ("祭", "zhai"),
    ("繁", "po"),
    ("秘", "bi"),
    ("逄", "pang"),
    ("佴", "nai"),
    ("钭", "tou"),
    ("句", "gou"),
    ("召", "shao"),
    ("燕", "yan"),
    ("卜", "bu"),
    ("柏", "bai"),
    ("葛", "ge"),
    ("过", "guo"),
    ("哈", "ha"),
    ("訾", "zi"),
    ("相", "xiang"),
    ("隗", "wei"),
    ("郗", "xi"),
    ("郇", "xun"),
    ("阚", "kan"),
    ("闞", "kan"),
    ("幺", "yao"),
    ("应", "ying"),
    ("應", "ying"),
    ("强", "qiang"),
    ("藏", "zang"),
    ("粘", "nian"),
    ("宿", "su"),
    ("行", "xing"),
    ("呙", "guo"),
    ("尉", "wei"),
    ("宓", "mi"),
    ("乜", "nie"),
    ("撒", "sa"),
    ("牟", "mou"),
    ("番", "pan"),
    ("贲", "ben"),
    ("賁", "ben"),
    ("薄", "bo"),
    ("都", "du"),
    ("令", "ling"),
    ("莘", "shen"),
    ("盛", "sheng"),
    ("殳", "shu"),
    ("眭", "sui"),
    ("要", "yao"),
    ("恽", "yun"),
    ("惲", "yun"),
    ("黑", "he"),
    ("折", "she"),
    ("车", "che"),
    ("車", "che"),
    ("石", "shi"),
    ("沈", "shen"),
    ("贾", "jia"),
    ("賈", "jia"),
    ("叶", "ye"),
    ("葉", "ye"),
    ("尹", "yin"),
    ("冯", "feng"),
    ("馮", "feng"),
    ("那", "na"),
    ("万俟", "moqi"),
    ("萬俟", "moqi"),
    ("尉迟", "yuchi"),
    ("尉遲", "yuchi"),
    ("长孙", "zhangsun"),
    ("長孫", "zhangsun"),
    ("澹台", "tantai"),
    ("澹臺", "tantai"),
    ("令狐", "linghu"),
    ("皇甫", "huangfu"),
    ("乐正", "yuezheng"),
    ("樂正", "yuezheng"),
    ("单于", "chanyu"),
    ("亓官", "qiguan"),
    ("宰父", "zaifu"),
    ("拓跋", "tuoba"),
    ("夹谷", "jiagu"),
    ("夾谷", "jiagu"),
];

/// Whether a character is Chinese.
pub(super) fn is_han(letter: char) -> bool {
    matches!(letter, '\u{3007}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// Whether a character parts the names of a person of another people: 阿卜杜·热西提.
pub(super) fn is_dot(letter: char) -> bool {
    matches!(letter, '·' | '•' | '・' | '‧' | '∙')
}

/// Surname and given name; `None` of what is not a Chinese name with a surname in front.
pub(super) fn split(name: &str) -> Option<(&str, &str)> {
    let name = name.trim();
    if !name.chars().next().is_some_and(is_han) || name.chars().any(is_dot) {
        return None;
    }
    // Nobody is called by a surname alone: of two characters the second is the given name.
    let two = name.char_indices().nth(2).map(|(at, _)| at);
    let end = two
        .filter(|end| {
            name.get(..*end)
                .is_some_and(|start| COMPOUND.split(' ').any(|known| known.trim() == start))
        })
        .or_else(|| name.char_indices().nth(1).map(|(at, _)| at))
        .unwrap_or(name.len());
    Some((name.get(..end)?, name.get(end..)?.trim()))
}

/// How a surname is read, in syllables.
pub(super) fn read_surname(family: &str) -> Vec<String> {
    match READINGS.iter().find(|(known, _)| *known == family) {
        Some((_, reading)) => split_reading(family, reading),
        None => syllables(family),
    }
}

/// A reading as one syllable for each character, by the usual reading of the first where there are two.
fn split_reading(family: &str, reading: &str) -> Vec<String> {
    /// Where the first of two syllables ends, for those whose first character reads otherwise elsewhere.
    const FIRST: &[&str] =
        &["mo", "yu", "zhang", "tan", "ling", "huang", "yue", "chan", "qi", "zai", "tuo", "jia"];
    if family.chars().count() == 2
        && let Some(first) = FIRST.iter().find(|first| reading.starts_with(**first))
    {
        return vec![(*first).to_owned(), reading[first.len()..].to_owned()];
    }
    vec![reading.to_owned()]
}

/// The syllables of a text in lower case ASCII: one for each Chinese character, one for each run of other letters.
pub(super) fn syllables(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut open = false;
    for letter in text.chars() {
        if is_han(letter) {
            let reading = letter.to_pinyin().map(|reading| ascii(reading.plain()));
            found.push(reading.unwrap_or_else(|| letter.to_string()));
            open = false;
        } else if letter.is_alphanumeric() || (open && matches!(letter, '-' | '\'' | '.')) {
            match found.last_mut().filter(|_| open) {
                Some(word) => word.push(letter),
                None => found.push(letter.to_string()),
            }
            open = true;
        } else {
            open = false;
        }
    }
    found
}

/// ü as passports write it: lyu, nyu.
fn ascii(syllable: &str) -> String {
    syllable.replace(['ü', 'v'], "yu")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compound_surnames_are_whole_unless_nothing_would_be_left() {
        for (name, family, given) in [
            ("李伟", "李", "伟"),
            ("欧阳娜娜", "欧阳", "娜娜"),
            ("歐陽修", "歐陽", "修"),
            ("司马", "司", "马"),
            ("李", "李", ""),
            ("张 三丰", "张", "三丰"),
            ("王Vivian", "王", "Vivian"),
        ] {
            assert_eq!(split(name), Some((family, given)), "{name}");
        }
        for name in ["", "Ada Lovelace", "阿卜杜·热西提"] {
            assert_eq!(split(name), None, "{name}");
        }
    }

    #[test]
    fn every_reading_has_a_syllable_for_each_character() {
        for (family, reading) in READINGS {
            let read = read_surname(family);
            assert_eq!(read.len(), family.chars().count(), "{family}");
            assert_eq!(read.concat(), *reading, "{family}");
            if family.chars().count() == 2 {
                assert!(COMPOUND.split(' ').any(|known| known.trim() == *family), "{family}");
            }
        }
        assert!(
            COMPOUND.split(' ').all(|known| known.trim().is_empty() || known.chars().count() == 2)
        );
    }
}
