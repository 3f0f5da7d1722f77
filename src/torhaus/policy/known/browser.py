"""The tools of browsers: @playwright/mcp 0.0.83 (every capability), server-puppeteer 2025.5.12.

Every one is `execute`, those that only look as well: what they look at is where the same caller
went a moment ago, with the cookies that are there. To drive a browser without seeing it is of no
use, and to see what another drives is no lesser right.
"""

from torhaus.policy.known.build import table
from torhaus.policy.known.rows import tools
from torhaus.policy.known.spec import ServerSpec

# They start any program there is beside the server (`executablePath`): nobody may give them.
_PINNED = ServerSpec(pinned_args={"launchOptions": "(?!)", "allowDangerous": "(?!)"})

PUPPETEER = table(
    {
        # A URL carries data out.
        **tools("puppeteer_navigate", "execute", "pages", tags="exfiltration"),
        **tools(
            "puppeteer_click puppeteer_evaluate puppeteer_fill puppeteer_hover"
            " puppeteer_screenshot puppeteer_select",
            "execute",
            "pages",
        ),
    },
    _PINNED,
)

PLAYWRIGHT = table(
    {
        **tools(
            "browser_navigate browser_file_upload browser_drop",
            "execute",
            "pages",
            tags="exfiltration",
        ),
        # Logins, for whoever reads them.
        **tools(
            "browser_cookie_get browser_cookie_list browser_localstorage_get"
            " browser_localstorage_list browser_sessionstorage_get browser_sessionstorage_list"
            " browser_storage_state",
            "execute",
            "pages",
            tags="sensitive",
        ),
        **tools(
            "browser_annotate browser_click browser_close browser_console_messages"
            " browser_cookie_clear browser_cookie_delete browser_cookie_set browser_drag"
            " browser_emulate_media browser_evaluate browser_fill_form browser_find"
            " browser_generate_locator browser_get_config browser_handle_dialog"
            " browser_hide_highlight browser_highlight browser_hover browser_install"
            " browser_localstorage_clear browser_localstorage_delete browser_localstorage_set"
            " browser_mouse_click_xy browser_mouse_down browser_mouse_drag_xy"
            " browser_mouse_move_xy browser_mouse_up browser_mouse_wheel browser_navigate_back"
            " browser_network_request browser_network_requests browser_network_state_set"
            " browser_pdf_save browser_press_key browser_resize browser_resume browser_route"
            " browser_route_list browser_run_code browser_run_code_unsafe browser_select_option"
            " browser_sessionstorage_clear browser_sessionstorage_delete"
            " browser_sessionstorage_set browser_set_storage_state browser_snapshot"
            " browser_start_recording browser_start_tracing browser_start_video"
            " browser_stop_recording browser_stop_tracing browser_stop_video browser_tabs"
            " browser_take_screenshot browser_type browser_unroute"
            " browser_verify_element_visible browser_verify_list_visible"
            " browser_verify_text_visible browser_verify_value browser_video_chapter"
            " browser_video_hide_actions browser_video_show_actions browser_wait_for",
            "execute",
            "pages",
        ),
    }
)
