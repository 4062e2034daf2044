//! The first row of a sheet, in the languages of the portal.

use domain::people::Language;

use super::super::item::Field;
use super::column::Column;
use crate::params::one_of;

/// The language of that name.
pub(super) fn parse(text: &str) -> Result<Language, String> {
    one_of(&Language::ALL, Language::as_str)(text)
}

/// The tickets, as a sheet is called.
pub(super) const fn tickets(language: Language) -> &'static str {
    match language {
        Language::English | Language::Spanish => "Tickets",
        Language::Russian => "Тикеты",
    }
}

/// A column's title for people.
pub(super) fn title(language: Language, column: Column) -> String {
    match column {
        Column::Of(field) => name(language, field).to_owned(),
        Column::IdOf(field) => format!("{} (ID)", name(language, field)),
    }
}

const fn name(language: Language, field: Field) -> &'static str {
    match language {
        Language::English => english(field),
        Language::Russian => russian(field),
        Language::Spanish => spanish(field),
    }
}

const fn english(field: Field) -> &'static str {
    match field {
        Field::Id => "ID",
        Field::Number => "Number",
        Field::Subject => "Subject",
        Field::Status => "Status",
        Field::Type => "Type",
        Field::Priority => "Priority",
        Field::Category => "Category",
        Field::System => "System",
        Field::Environment => "Environment",
        Field::Service => "Service",
        Field::Product => "Product",
        Field::PlatformVersion => "Platform version",
        Field::Requester => "Requester",
        Field::Organisation => "Organisation",
        Field::Group => "Group",
        Field::Project => "Project",
        Field::Assignee => "Assignee",
        Field::CreatedAt => "Created",
        Field::UpdatedAt => "Updated",
        Field::DueAt => "Due",
        Field::Overdue => "Overdue",
        Field::Rating => "Rating",
        Field::Revision => "Revision",
    }
}

const fn russian(field: Field) -> &'static str {
    match field {
        Field::Id => "Идентификатор",
        Field::Number => "Номер",
        Field::Subject => "Тема",
        Field::Status => "Статус",
        Field::Type => "Тип",
        Field::Priority => "Приоритет",
        Field::Category => "Категория",
        Field::System => "Система",
        Field::Environment => "Среда",
        Field::Service => "Сервис",
        Field::Product => "Продукт",
        Field::PlatformVersion => "Версия платформы",
        Field::Requester => "Заявитель",
        Field::Organisation => "Организация",
        Field::Group => "Группа",
        Field::Project => "Проект",
        Field::Assignee => "Исполнитель",
        Field::CreatedAt => "Создан",
        Field::UpdatedAt => "Изменён",
        Field::DueAt => "Срок",
        Field::Overdue => "Просрочен",
        Field::Rating => "Оценка",
        Field::Revision => "Ревизия",
    }
}

const fn spanish(field: Field) -> &'static str {
    match field {
        Field::Id => "Identificador",
        Field::Number => "Número",
        Field::Subject => "Asunto",
        Field::Status => "Estado",
        Field::Type => "Tipo",
        Field::Priority => "Prioridad",
        Field::Category => "Categoría",
        Field::System => "Sistema",
        Field::Environment => "Entorno",
        Field::Service => "Servicio",
        Field::Product => "Producto",
        Field::PlatformVersion => "Versión de la plataforma",
        Field::Requester => "Solicitante",
        Field::Organisation => "Organización",
        Field::Group => "Grupo",
        Field::Project => "Proyecto",
        Field::Assignee => "Asignado a",
        Field::CreatedAt => "Creado",
        Field::UpdatedAt => "Actualizado",
        Field::DueAt => "Vence",
        Field::Overdue => "Vencido",
        Field::Rating => "Valoración",
        Field::Revision => "Revisión",
    }
}
