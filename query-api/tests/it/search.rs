//! `q`: what is found, and by whom.

use domain::testing::{agent, body, create, customer};
use domain::text::Subject;
use domain::ticket::{AddComment, Command, Visibility};
use reqwest::Url;
use serde_json::Value;

use crate::desk::{Desk, stranger, ticket};

async fn open(desk: &Desk, n: u64, subject: &str, description: &str) {
    let Command::Create(mut sample, _) = create() else {
        panic!("the sample is a creation")
    };
    sample.number = domain::ids::TicketNumber(n);
    sample.subject = Subject::parse(subject).unwrap();
    sample.description = body(description);
    desk.give(ticket(n), &customer(), Command::Create(sample, None)).await;
}

async fn say(desk: &Desk, n: u64, visibility: Visibility, text: &str) {
    let comment = AddComment {
        body: body(text),
        visibility,
    };
    desk.give(ticket(n), &agent(), Command::Comment(comment)).await;
}

/// The path of a question, with more parameters.
fn path(question: &str, more: &str) -> String {
    let url = Url::parse_with_params(&format!("http://desk/v1/tickets?{more}"), [("q", question)]).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// The numbers of the tickets that are found, sorted.
async fn found(desk: &Desk, token: &str, question: &str) -> Vec<u64> {
    let page = desk.get(token, &path(question, "sort=number&count=exact")).await;
    assert_eq!(page.status, 200, "{question}: {}", page.body);
    let numbers: Vec<u64> = page.column("number").iter().filter_map(Value::as_u64).collect();
    assert_eq!(
        page.body["total"].as_u64(),
        u64::try_from(numbers.len()).ok(),
        "{question}"
    );
    numbers
}

async fn library() -> (Desk, String, String) {
    let desk = Desk::start().await;
    open(
        &desk,
        1,
        "Принтеры не печатают",
        "Обновили прошивку, теперь ошибка E-504.",
    )
    .await;
    open(
        &desk,
        2,
        "Printing fails",
        "We updated the drivers of /dev/usb. 100%_sure",
    )
    .await;
    open(&desk, 3, "Las impresoras fallan", "Después de la actualización").await;
    open(&desk, 71, "Отчёт за квартал", "Nothing about it").await;
    say(&desk, 2, Visibility::Public, "Have you rebooted the plotter?").await;
    say(
        &desk,
        2,
        Visibility::Internal,
        "Скандальный customer, beware of zeppelins",
    )
    .await;
    let staff = desk.token(&agent()).await;
    let requester = desk.token(&customer()).await;
    desk.get(&staff, "/v1/tickets").await;
    (desk, staff, requester)
}

#[tokio::test(flavor = "multi_thread")]
async fn words_are_found_in_any_form_in_three_languages() {
    let (desk, staff, requester) = library().await;
    for (question, tickets) in [
        ("принтер", vec![1]),
        ("ПРИНТЕРОВ", vec![1]),
        ("ошибки обновить", vec![1]),
        ("print", vec![2]),
        ("prints driver", vec![2]),
        ("rebooting plotters", vec![2]),
        ("impresora", vec![3]),
        ("actualizaciones", vec![3]),
        ("принтер or impresora", vec![1, 3]),
        ("print -driver", vec![]),
        ("\"обновили прошивку\"", vec![1]),
        ("\"прошивку обновили\"", vec![]),
        ("принтер прошивка -rebooted", vec![1]),
        ("print plotters", vec![2]),
        ("usb impresora", vec![]),
        ("zebra", vec![]),
    ] {
        for token in [&staff, &requester] {
            assert_eq!(found(&desk, token, question).await, tickets, "{question}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_of_subjects_and_numbers_are_found() {
    let (desk, staff, _) = library().await;
    for (question, tickets) in [
        ("интер", vec![1]),
        ("PRESOR", vec![3]),
        ("ёт за кв", vec![71]),
        ("71", vec![71]),
        ("#71", vec![71]),
        ("#7", vec![]),
        ("#1", vec![1]),
    ] {
        assert_eq!(found(&desk, &staff, question).await, tickets, "{question}");
    }
    // An underscore is an underscore.
    assert_eq!(found(&desk, &staff, "f_ils").await, [0_u64; 0]);
    assert_eq!(found(&desk, &staff, "%ails").await, [0_u64; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_never_find_what_is_internal() {
    let (desk, staff, requester) = library().await;
    let outsider = desk.token(&stranger()).await;
    for question in ["zeppelin", "скандальный", "beware zeppelins", "plotter zeppelin"] {
        assert_eq!(found(&desk, &staff, question).await, [2], "{question}");
        assert_eq!(found(&desk, &requester, question).await, [0_u64; 0], "{question}");
    }
    // Nor by leaving it out.
    assert_eq!(found(&desk, &requester, "printing -zeppelin").await, [2]);
    assert_eq!(found(&desk, &staff, "printing -zeppelin").await, [0_u64; 0]);
    assert_eq!(found(&desk, &outsider, "принтер").await, [0_u64; 0]);
    // Nor from the order: what they cannot read does not lift a ticket.
    say(&desk, 3, Visibility::Internal, "plotter plotter plotter").await;
    desk.get(&staff, "/v1/tickets").await;
    assert_eq!(found(&desk, &staff, "plotter").await, [2, 3]);
    assert_eq!(found(&desk, &requester, "plotter").await, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_answers_come_first_and_in_pages() {
    let (desk, staff, _) = library().await;
    open(&desk, 72, "Nothing", "On paper: 71 plotter").await;
    open(&desk, 73, "Plotter", "Broken").await;
    for n in 80..90 {
        open(&desk, n, "Something else", "about a plotter").await;
    }
    desk.get(&staff, "/v1/tickets").await;
    let numbers = async |path: &str| desk.get(&staff, path).await.column("number");
    assert_eq!(numbers(&path("plotter", "limit=1")).await, [73]);
    assert_eq!(numbers(&path("71", "")).await, [71, 72]);
    let whole = numbers(&path("plotter", "sort=relevance")).await;
    assert_eq!(whole.len(), 13);
    assert_eq!(whole.last().unwrap(), &Value::from(2), "a comment counts least");
    let mut pieces = Vec::new();
    let mut next = path("plotter", "limit=2");
    loop {
        let page = desk.get(&staff, &next).await;
        pieces.extend(page.column("number"));
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        next = path("plotter", &format!("limit=2&cursor={cursor}"));
    }
    assert_eq!(pieces, whole);
    desk.get(&staff, "/v1/tickets?sort=relevance")
        .await
        .assert_problem(422, "invalid-fields");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_text_is_a_question_and_none_is_a_fault() {
    let (desk, staff, requester) = library().await;
    let past = desk.get(&staff, "/v1/tickets/1").await.body["created_at"].clone();
    let long = ["🎉".repeat(200), "a ".repeat(100), "-".repeat(200), "\"(".repeat(100)];
    let questions = [
        "'",
        "''",
        "\"",
        "%",
        "%%%",
        "_",
        "\\",
        "\\\\\\",
        "&|!():*",
        "!",
        "-",
        "-принтер",
        "-a -b",
        "or",
        "a or",
        "<->",
        "a <-> b",
        "<2>",
        "'a':*",
        "$1",
        "{}",
        "');--",
        "T",
        "\u{7f}\u{1}",
        "\u{200b}",
        "#",
        "#-1",
        "##71",
        "-71",
        "99999999999999999999",
        "not принтер",
        "\"",
        "\"a",
        "http://[::1]:80/<b>&amp;",
        "a\tb\nc",
    ];
    for question in questions.into_iter().map(str::to_owned).chain(long) {
        for token in [&staff, &requester] {
            for more in [
                "",
                "sort=due_at&count=exact",
                &format!("as_of={}", past.as_str().unwrap()),
            ] {
                let page = desk.get(token, &path(&question, more)).await;
                assert_eq!(page.status, 200, "{question:?} {more}: {}", page.body);
            }
        }
    }
    for question in ["", " \t ", &"a".repeat(201), "a\0b"] {
        desk.get(&staff, &path(question, ""))
            .await
            .assert_problem(422, "invalid-fields");
    }
    // Bytes that are no text are read as replacement characters, as everywhere in queries, and find nothing.
    let page = desk.get(&staff, "/v1/tickets?q=%ff").await;
    assert_eq!(
        (page.status, page.body["items"].as_array().map(Vec::len)),
        (200, Some(0))
    );
}
