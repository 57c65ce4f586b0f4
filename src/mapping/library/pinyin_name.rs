//! `pinyin_name`: a person's name in Latin letters.

use super::{Body, Env, Failure, Function, Outcome, needed, surnames, take, text};
use crate::mapping::value::Value;

pub(super) const FUNCTION: Function = Function {
    name: "pinyin_name",
    usage: "pinyin_name(name [, form]) -> text",
    about: "A Chinese name in pinyin; surnames are read as surnames (单 Shan, 曾 Zeng, 解 Xie, 尉迟 Yuchi), ü is yu as in passports. `form` is \"family_first\" (if none is given), \"given_first\", \"family\", \"given\", \"capitals\", \"initials\" or \"joined\" (for accounts). A name in other letters stays as it is, and has no \"family\" and \"given\".",
    examples: [
        (r#"pinyin_name("单田芳")"#, r#""Shan Tianfang""#),
        (r#"pinyin_name("欧阳娜娜", "initials")"#, r#""OYNN""#),
    ],
    least: 1,
    most: 2,
    body: Body::Plain(run),
};

/// How a name is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    FamilyFirst,
    GivenFirst,
    Family,
    Given,
    Capitals,
    Initials,
    Joined,
}

impl Form {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "family_first" => Self::FamilyFirst,
            "given_first" => Self::GivenFirst,
            "family" => Self::Family,
            "given" => Self::Given,
            "capitals" => Self::Capitals,
            "initials" => Self::Initials,
            "joined" => Self::Joined,
            _ => return None,
        })
    }
}

fn run<'a>(_env: &'a Env, args: &mut [Value<'a>]) -> Outcome<'a> {
    let form = match take(args, 1) {
        Value::Unit => Form::FamilyFirst,
        value => Form::parse(&needed("pinyin_name", "the form", value)?).ok_or_else(|| {
            Failure::new(
                "mapping::form",
                "`pinyin_name` does not know this form; use \"family_first\", \"given_first\", \"family\", \"given\", \"capitals\", \"initials\" or \"joined\"",
            )
        })?,
    };
    let Some(text) = text("pinyin_name", "the name", take(args, 0))? else {
        return Ok(Value::Unit);
    };
    let name = text.trim();
    let written = match surnames::split(name) {
        Some((family, given)) => {
            Some(chinese(&surnames::read_surname(family), &surnames::syllables(given), form))
        }
        None => other(name, form),
    };
    Ok(written.filter(|written| !written.is_empty()).map_or(Value::Unit, Value::text))
}

fn chinese(family: &[String], given: &[String], form: Form) -> String {
    let (first, second) = (capitalised(&family.concat()), capitalised(&given.concat()));
    let row = |a: &str, b: &str| format!("{a} {b}").trim().to_owned();
    match form {
        Form::FamilyFirst => row(&first, &second),
        Form::GivenFirst => row(&second, &first),
        Form::Family => first,
        Form::Given => second,
        Form::Capitals => row(&first, &second).to_uppercase(),
        Form::Initials => initials(family.iter().chain(given)),
        Form::Joined => [first, second].concat().to_lowercase(),
    }
}

/// A name whose surname is not known: in other letters, or with a dot between its parts.
fn other(name: &str, form: Form) -> Option<String> {
    let parts: Vec<String> = if name.chars().any(surnames::is_han) {
        name.split(surnames::is_dot)
            .map(|part| capitalised(&surnames::syllables(part).concat()))
            .filter(|part| !part.is_empty())
            .collect()
    } else {
        name.split_whitespace().map(str::to_owned).collect()
    };
    Some(match form {
        Form::FamilyFirst | Form::GivenFirst => parts.join(" "),
        Form::Family | Form::Given => return None,
        Form::Capitals => parts.join(" ").to_uppercase(),
        Form::Initials => initials(parts.iter()),
        Form::Joined => parts.concat().to_lowercase(),
    })
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn initials<'s>(parts: impl Iterator<Item = &'s String>) -> String {
    parts.filter_map(|part| part.chars().next()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use crate::mapping::testing::evaluate;

    fn written(name: &str, form: &str) -> serde_json::Value {
        evaluate(&format!("pinyin_name(\"{name}\", \"{form}\")")).unwrap()
    }

    #[test]
    fn surnames_are_read_as_surnames() {
        for (name, wanted) in [
            ("单雄信", "Shan Xiongxin"),
            ("曾国藩", "Zeng Guofan"),
            ("解晓东", "Xie Xiaodong"),
            ("仇英", "Qiu Ying"),
            ("查良镛", "Zha Liangyong"),
            ("尉迟恭", "Yuchi Gong"),
            ("万俟卨", "Moqi Xie"),
            ("朴树", "Piao Shu"),
            ("区志强", "Ou Zhiqiang"),
            ("盖叫天", "Ge Jiaotian"),
            ("缪荃孙", "Miao Quansun"),
            ("乐嘉", "Yue Jia"),
            ("长孙无忌", "Zhangsun Wuji"),
            ("吕布", "Lyu Bu"),
            ("司马光", "Sima Guang"),
            ("李单", "Li Dan"),
        ] {
            assert_eq!(written(name, "family_first"), wanted, "{name}");
        }
    }

    #[test]
    fn every_form_is_written() {
        for (form, wanted) in [
            ("given_first", "Nana Ouyang"),
            ("family", "Ouyang"),
            ("given", "Nana"),
            ("capitals", "OUYANG NANA"),
            ("initials", "OYNN"),
            ("joined", "ouyangnana"),
        ] {
            assert_eq!(written("欧阳娜娜", form), wanted, "{form}");
        }
        assert!(evaluate("pinyin_name(\"李伟\", \"upper\")").is_err());
    }

    #[test]
    fn other_names_keep_what_they_are() {
        assert_eq!(written("Ada Lovelace", "family_first"), "Ada Lovelace");
        assert_eq!(written("Ada Lovelace", "initials"), "AL");
        assert_eq!(written("Ada Lovelace", "family"), serde_json::Value::Null);
        assert_eq!(written("阿凡提·买买提", "given_first"), "Afanti Maimaiti");
        assert_eq!(written("王Vivian", "family_first"), "Wang Vivian");
        assert_eq!(written("", "joined"), serde_json::Value::Null);
    }
}
